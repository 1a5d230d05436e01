"""The way to private IPs through a jump host: one SSH connection, and a channel of it for each connection."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import paramiko

from tasks.errors import HostUnreachable, UntrustedHost
from tasks.hosts.access import GatewayAddress
from tasks.hosts.route import Stream

_KEEPALIVE = 15
_LOGIN = 15.0


class Gateway:
    """Through a jump host, over one SSH connection for all servers (a Route).

    Its host key is verified by the user's own `~/.ssh/known_hosts`: it is the user's machine, not the deploy's.

    :param key: gives a key to log in with, offered before the SSH agent's keys and those in `~/.ssh`; None: only those.
    """

    def __init__(self, address: GatewayAddress, key: Callable[[], paramiko.PKey | None]) -> None:
        self._address = address
        self._key = key
        self._lock = threading.Lock()
        self._client = paramiko.SSHClient()

    def connect(self, address: str, port: int, timeout: float) -> Stream:
        """Have the gateway open a TCP connection.

        :raises UntrustedHost: known_hosts does not know the gateway, or knows it by another key.
        :raises HostUnreachable: it does not let us in.
        """
        transport = self._open(timeout)
        try:
            channel = transport.open_channel("direct-tcpip", (address, port), ("", 0), timeout=timeout)
        except paramiko.ChannelException as error:
            raise ConnectionRefusedError(f"{self._address} could not connect to it: {error.text}") from error
        except paramiko.SSHException as error:
            raise OSError(f"{self._address}: {error}") from error
        channel.settimeout(timeout)
        return _Tunnel(channel)

    def log_in(self, timeout: float) -> None:
        """Log in there, if we are not yet; `timeout` is in seconds.

        :raises UntrustedHost: known_hosts does not know the gateway, or knows it by another key.
        :raises HostUnreachable: it cannot be reached, or does not let us in.
        """
        try:
            self._open(timeout)
        except OSError as error:
            at = self._address
            raise HostUnreachable(f"the gateway {at} cannot be reached: {error}", server=at.host) from error

    def close(self) -> None:
        """Close the connection to the gateway."""
        self._client.close()

    def _open(self, timeout: float) -> paramiko.Transport:
        with self._lock:
            transport = self._client.get_transport()
            if transport is None or not transport.is_active():
                self._log_in(timeout)
                transport = self._client.get_transport()
            if transport is None:
                raise OSError(f"{self._address} hung up")
            transport.set_keepalive(_KEEPALIVE)
            return transport

    def _log_in(self, timeout: float) -> None:
        at = self._address
        try:
            if not any(self._takes(key, timeout) for key in dict.fromkeys((self._key(), None))):
                raise HostUnreachable(
                    f"the gateway {at} refuses our keys",
                    server=at.host,
                    advice=f"`ssh -p {at.port} {at.user}@{at.host}` has to work without a password.",
                )
        except paramiko.BadHostKeyException as error:
            raise self._untrusted("it showed another SSH host key than ~/.ssh/known_hosts has") from error
        except paramiko.SSHException as error:
            if "not found in known_hosts" in str(error):  # paramiko has no class for it
                raise self._untrusted("~/.ssh/known_hosts does not know it") from error
            raise OSError(f"{at}: {error}") from error

    def _takes(self, key: paramiko.PKey | None, timeout: float) -> bool:
        """Log in with a key, or with the user's own; False when that is refused.

        Each over a connection of its own: paramiko asks anew to log in for every key, an offence to strict servers.
        """
        self._client = client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.load_system_host_keys()
        at, own = self._address, key is None
        try:
            client.connect(
                at.host,
                at.port,
                at.user,
                pkey=key,
                allow_agent=own,
                look_for_keys=own,
                timeout=timeout,
                banner_timeout=_LOGIN,
                auth_timeout=_LOGIN,
            )
        except paramiko.AuthenticationException:
            client.close()
            return False
        except paramiko.SSHException as error:
            if "No authentication methods" not in str(error):  # the user has no keys of their own
                raise
            client.close()
            return False
        return True

    def _untrusted(self, why: str) -> UntrustedHost:
        at = self._address
        return UntrustedHost(
            f"the gateway {at} is not logged in to: {why}",
            server=at.host,
            advice=f"Compare its key with what its owner says, then log in once: ssh -p {at.port} {at.user}@{at.host}",
        )


class _Tunnel:
    """A channel through the gateway; like a socket, and unlike channels, it outlives `close` while a file reads."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._file: io.BufferedReader | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def sendall(self, data: bytes) -> None:
        self._channel.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode
        self._file = io.BufferedReader(_Reading(self._channel))
        return self._file

    def close(self) -> None:
        if self._file is None:
            _close(self._channel)


class _Reading(io.RawIOBase):
    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._channel.recv(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        super().close()
        _close(self._channel)


def _close(channel: paramiko.Channel) -> None:
    with suppress(paramiko.SSHException, EOFError, OSError):  # the gateway may be lost already
        channel.close()
