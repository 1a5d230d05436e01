"""Trust by an injected key, for clouds that show no consoles: a throw-away host key that is good for one connection.

Its private half lies in the server's user data for life, so it must be worthless soon: over the first connection the
server makes host keys of its own, forgets the throw-away one, and is known by its own from then on. The public halves
travel in the server's metadata, so that whoever may use the cloud's API can go on from any machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tasks.errors import CommandFailed, HostUnreachable, UntrustedHost
from tasks.hosts.access import Secret
from tasks.hosts.connection import session
from tasks.hosts.console_keys import HostKey, host_keys_in
from tasks.hosts.output import Beginning, Lines
from tasks.hosts.running import NO_EXIT_CODE, Command, run_in
from tasks.hosts.trust import Door
from tasks.rollout.model import Server
from tasks.waiting import Patience

HOST_KEY = "host_key"
"""The metadata item in which a server's public host key stands."""
ONCE = "once "
"""Stands in the metadata before a key that authenticates one connection only."""
_KEPT = "ssh-ed25519"  # the others may be too long for a metadata value (255 characters)

RENEWAL = """set -eu
etc=${SERVER_ROOT:-}/etc/ssh
new=$(mktemp -d "$etc/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
for type in ed25519 ecdsa rsa; do ssh-keygen -q -t "$type" -N '' -C '' -f "$new/ssh_host_${type}_key"; done
rm -f "$etc"/ssh_host_*
mv "$new"/ssh_host_* "$etc"
if command -v restorecon >/dev/null; then restorecon -R "$etc"; fi
if [ -z "${SERVER_ROOT:-}" ] && [ -d /run/systemd/system ]; then
    systemctl restart ssh.service || systemctl restart sshd.service
else
    service ssh restart || service sshd restart
fi
cat "$etc"/ssh_host_*_key.pub
"""
"""Makes host keys, forgets the old ones, and returns when new connections are shown the new ones; prints them."""
_RENEW = Command(stage="set up", name="making SSH host keys of its own", script=RENEWAL, deadline=120.0)


@dataclass(frozen=True, kw_only=True)
class ThrowAway:
    """A host key for user data. Its public half is in the servers' metadata."""

    private: Secret
    public_line: str

    @classmethod
    def make(cls) -> ThrowAway:
        """Make a new one, ed25519."""
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return cls(private=Secret(value=private.decode()), public_line=public.decode())

    @property
    def metadata(self) -> dict[str, str]:
        """Give the metadata that servers are created with."""
        return {HOST_KEY: ONCE + self.public_line}

    def cloud_config(self) -> dict[str, object]:
        """Give the part of a #cloud-config that makes this the server's only host key (cloud-init, cc_ssh)."""
        keys = {"ed25519_private": self.private.reveal(), "ed25519_public": self.public_line}
        return {"ssh_deletekeys": True, "ssh_keys": keys}


class Injected:
    """Meets a server over its throw-away key, and has it make keys of its own (an Introduction).

    :param user: the login user; others than root need sudo without a password.
    :param publish: writes the key that the server has made to its metadata.
    """

    def __init__(self, user: str, publish: Callable[[Server, str], None]) -> None:
        self._user = user
        self._publish = publish

    def meet(self, server: Server, patience: Patience, door: Door) -> tuple[HostKey, ...]:
        """Give the keys that the server has made over its first connection, now or earlier.

        :raises UntrustedHost: the server was made without a throw-away key.
        :raises CommandFailed: it could not make keys.
        """
        del patience
        said = server.labels.host_key
        known = tuple(host_keys_in(said.removeprefix(ONCE)))
        if not known:
            raise UntrustedHost(
                f"the metadata of {server.name} names no SSH host key: it was not made with an injected one",
                server=server.name,
                advice='server.trust = "injected" is for servers that are made with it; `fab deploy` replaces them.',
            )
        if not said.startswith(ONCE):
            return known
        own = self._renew(server, door(known))
        self._publish(server, next(f"{key.type} {key.text}" for key in own if key.type == _KEPT))
        return own

    def _renew(self, server: Server, connection: Any) -> tuple[HostKey, ...]:
        channel = session(connection)
        seen = Beginning()
        lines = Lines(seen)
        code = run_in(channel, _RENEW, self._user, lines) if channel else NO_EXIT_CODE
        if code == NO_EXIT_CODE:
            raise HostUnreachable(
                f"{server.name} was lost while it made SSH host keys of its own, or that took longer than "
                f"{_RENEW.deadline:g} s",
                server=server.name,
            )
        own = tuple(key for line in seen.text.splitlines() for key in host_keys_in(line))
        if code == 0 and any(key.type == _KEPT for key in own):
            return own
        raise CommandFailed(
            server=server.name, stage=_RENEW.stage, command=_RENEW.name, exit_code=code, tail=lines.tail
        )
