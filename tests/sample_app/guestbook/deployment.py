"""Who this process is (app, release, server) and where it keeps what it shares with the other servers.

Everything comes from the environment, the way a deploy sets it. Knows nothing of Django's settings.
"""

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One server's place in a deploy."""

    app: str
    environment: str
    release: str
    generation: str
    server: str
    shared_dir: Path

    @classmethod
    def from_environ(cls) -> "Deployment":
        """Read APP_NAME, ENVIRONMENT, RELEASE, GENERATION, SERVER_NAME and SHARED_DIR."""
        return cls(
            app=os.environ.get("APP_NAME", "guestbook"),
            environment=os.environ.get("ENVIRONMENT", "development"),
            release=os.environ.get("RELEASE", "unreleased"),
            generation=os.environ.get("GENERATION", "none"),
            server=os.environ.get("SERVER_NAME", socket.gethostname()),
            shared_dir=Path(os.environ.get("SHARED_DIR", "/srv/shared")),
        )

    @property
    def own_folder(self) -> Path:
        """The folder of this app and environment on the shared volume; other apps have their own."""
        return self.shared_dir / f"{self.app}-{self.environment}"


def secret_key(folder: Path) -> str:
    """Return the key that every server of one environment signs with: SECRET_KEY, or one kept in `folder`.

    The first process makes the file (mode 0600); when two start at once, both use the one that was there first.
    :raises ImproperlyConfigured: when there is no SECRET_KEY and the folder cannot be written or read.
    """
    if key := os.environ.get("SECRET_KEY"):
        return key
    path = folder / "secret_key"
    try:
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(50))
        return path.read_text()
    except OSError as error:
        raise ImproperlyConfigured(f"No secret key: {error}. Set SECRET_KEY, or SHARED_DIR to a folder.") from error


def _write_once(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent) as draft:  # made with mode 0600
        draft.write(text)
        draft.flush()
        try:
            os.link(draft.name, path)  # whole or not at all, and only one process can
        except FileExistsError:
            return
