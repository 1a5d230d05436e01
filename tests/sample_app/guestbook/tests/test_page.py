"""The guestbook page."""

from django.conf import settings
from django.test import TestCase

from guestbook.models import Entry
from guestbook.tests.clients import by_address, with_csrf_checks


def sign(client, **changes):
    """Send an entry, with the given fields changed."""
    return client.post("/", {"name": "Ada", "message": "Hello"} | changes)


class Reading(TestCase):
    client_class = by_address

    def test_names_release_and_server(self):
        """The page names the release and the server that answered."""
        body = self.client.get("/").content.decode()

        assert f"<strong>{settings.DEPLOYMENT.release}</strong>" in body
        assert f"<strong>{settings.DEPLOYMENT.server}</strong>" in body

    def test_newest_first(self):
        """The newest entry comes first."""
        for message in ("first", "second"):
            sign(self.client, message=message)

        body = self.client.get("/").content.decode()

        assert 0 < body.index("second") < body.index("first")

    def test_hidden(self):
        """An entry that the worker hid is not listed."""
        Entry.objects.create(name="Spammer", message="buy", review=Entry.Review.HIDDEN)

        self.assertNotContains(self.client.get("/"), "Spammer")

    def test_not_cached(self):
        """No cache on the way may keep a page: it names the server that answered."""
        assert "no-store" in self.client.get("/").headers["Cache-Control"]


class Signing(TestCase):
    client_class = by_address

    def test_keeps_entry(self):
        """A signed entry is kept with the server and release that took it."""
        response = sign(self.client)

        entry = Entry.objects.get()
        assert (response.status_code, response.headers["Location"]) == (302, "/")
        assert (entry.name, entry.message) == ("Ada", "Hello")
        assert (entry.server, entry.release) == (settings.DEPLOYMENT.server, settings.DEPLOYMENT.release)

    def test_waits_for_review(self):
        """A new entry is listed at once, as not reviewed yet."""
        sign(self.client)

        self.assertContains(self.client.get("/"), "not reviewed yet")

    def test_escapes(self):
        """What a visitor writes cannot become markup."""
        sign(self.client, message="<script>alert(1)</script>")

        self.assertContains(self.client.get("/"), "&lt;script&gt;alert(1)&lt;/script&gt;")

    def test_refuses_empty(self):
        """An entry without a name is refused with 400 and a reason, and not kept."""
        self.assertContains(sign(self.client, name=" "), "This field is required.", status_code=400)
        assert not Entry.objects.exists()

    def test_refuses_long(self):
        """A message of more than 500 characters is refused, and not kept."""
        assert sign(self.client, message="x" * 501).status_code == 400
        assert not Entry.objects.exists()


class Forgery(TestCase):
    client_class = with_csrf_checks

    def sign_from(self, origin, **headers):
        """Sign the way a browser does whose page came from the origin."""
        self.client.get("/")
        token = self.client.cookies["csrftoken"].value
        entry = {"name": "Ada", "message": "Hello", "csrfmiddlewaretoken": token}
        return self.client.post("/", entry, headers={"origin": origin} | headers)

    def test_without_token(self):
        """An entry sent by another site, without this site's token, is refused."""
        assert sign(self.client).status_code == 403

    def test_behind_balancer_port(self):
        """A browser that came by the load balancer's port can sign: its origin is the host it asked for."""
        assert self.sign_from("http://10.0.0.7:8080").status_code == 302

    def test_behind_tls(self):
        """A browser that came by TLS, ended at the load balancer, can sign too."""
        assert self.sign_from("https://10.0.0.7:8080", **{"x-forwarded-proto": "https"}).status_code == 302

    def test_other_origin(self):
        """A browser on another site's page cannot sign, even with a token."""
        assert self.sign_from("http://elsewhere.example").status_code == 403
