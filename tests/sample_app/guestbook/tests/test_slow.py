"""The slow answer."""

from django.test import SimpleTestCase

from guestbook.tests.clients import by_address


class Slow(SimpleTestCase):
    client_class = by_address

    def test_answers(self):
        """The answer comes after the time asked for, and says so."""
        assert self.client.get("/slow?seconds=0.01").json()["slept"] == 0.01

    def test_bounded(self):
        """More than ten seconds, less than none, and what is no number are refused with 400."""
        for seconds in ("11", "-1", "nan", "soon", ""):
            assert self.client.get("/slow", {"seconds": seconds}).status_code == 400, seconds
