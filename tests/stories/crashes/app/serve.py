"""The app of the crash matrix: speaks to visitors as the guestbook does, needs no package, and is up at once."""

import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SERVER = os.environ["SERVER_NAME"]
PAGE = f"""<p>answered by <strong>{SERVER}</strong>, Release <strong>{os.environ["RELEASE"]}</strong></p>
<form method="post"><input name="csrfmiddlewaretoken" value="none"></form>"""


class Visit(BaseHTTPRequestHandler):
    """One visitor's connection, kept for as long as the visitor likes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        """Give the page; below /slow, after a while."""
        asked = urlsplit(self.path)
        if asked.path == "/slow":
            time.sleep(float(parse_qs(asked.query)["seconds"][0]))  # what visitors ask for, not a wait of ours
            self._answer("application/json", f'{{"server": "{SERVER}"}}')
        else:
            self._answer("text/html", PAGE)

    def do_POST(self):
        """Take what is posted."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer("text/html", PAGE)

    def log_message(self, *_):
        """Say nothing: visitors are many."""

    def _answer(self, kind, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Takes as many connections at once as visitors open."""

    request_queue_size = 128


if __name__ == "__main__":
    Server((os.environ["PRIVATE_IP"], int(os.environ["NODE_PORT"])), Visit).serve_forever()
