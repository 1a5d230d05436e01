"""What servers share: the secret key."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from django.core.exceptions import ImproperlyConfigured
from django.test import SimpleTestCase

from guestbook.deployment import secret_key


@patch.dict(os.environ, SECRET_KEY="")
class SecretKey(SimpleTestCase):
    def setUp(self):
        """Give every test a shared folder of its own."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "guestbook-test"

    def test_shared(self):
        """All servers of an environment sign with one key, which only their user can read."""
        assert secret_key(self.folder) == secret_key(self.folder)
        assert (self.folder / "secret_key").stat().st_mode & 0o777 == 0o600
        assert len(list(self.folder.iterdir())) == 1

    def test_from_environment(self):
        """A key in the environment comes first, and nothing is written."""
        with patch.dict(os.environ, SECRET_KEY="from the environment"):
            assert secret_key(self.folder) == "from the environment"
        assert not self.folder.exists()

    def test_nowhere_to_keep(self):
        """Where no key can be kept, the error says what to set."""
        with self.assertRaisesMessage(ImproperlyConfigured, "Set SECRET_KEY"):
            secret_key(Path("/dev/null/guestbook-test"))
