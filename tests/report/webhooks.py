"""A webhook on loopback that keeps what it is told."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Webhook:
    """What was told, in its order, and where."""

    def __init__(self, url):
        self.url = url
        self.told = []
        self.paths = []


@contextmanager
def webhook(*, status=200, headers=None, until=None):
    """Give a webhook that takes everything, and answers with that status.

    :param until: an event that has to happen before it answers.
    """

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self):
            there.paths.append(self.path)
            there.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if until:
                until.wait(60)
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        there = Webhook(f"http://127.0.0.1:{server.server_port}/services/T0/hunter2")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield there
        finally:
            if until:
                until.set()
            server.shutdown()
            thread.join()
