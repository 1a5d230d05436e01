"""Visitors: steady load on a site, and what became of every single request."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from tests.stories.clouds import SERVED_BY

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
PACE = 0.05  # seconds between two requests of one visitor: load, but not so much that two cores do nothing else
TIMEOUT = 20.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request that was made: what it was for, who answered, and what was wrong, if anything."""

    kind: str
    server: str
    seconds: float
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """All requests that were made, in the order in which they ended, and the messages that visitors left."""

    requests: list[Request] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Request]:
        """Give the requests of one kind."""
        return [request for request in self.requests if request.kind == kind]

    @property
    def failed(self) -> list[Request]:
        """Give the requests that did not get the answer they should."""
        return [request for request in self.requests if request.fault]

    def servers(self, kind: str) -> set[str]:
        """Give the names of the servers that answered requests of one kind."""
        return {request.server for request in self.of(kind)}


Visit = Callable[[requests.Session, str, Traffic], str]


def keep_alive(client: requests.Session, address: str, _: Traffic) -> str:
    """Read the page over a connection that is kept; gives the server's name."""
    return _server(client.get(f"{address}/", timeout=TIMEOUT))


def new_connection(client: requests.Session, address: str, _: Traffic) -> str:
    """Read the page over a connection of its own."""
    return _server(client.get(f"{address}/", timeout=TIMEOUT, headers={"Connection": "close"}))


def slow(client: requests.Session, address: str, _: Traffic) -> str:
    """Ask for something that takes 2 s."""
    answer = client.get(f"{address}/slow?seconds=2", timeout=TIMEOUT)
    answer.raise_for_status()
    return str(answer.json()["server"])


def sign(client: requests.Session, address: str, traffic: Traffic) -> str:
    """Sign the guestbook, the way a browser does: form, token, redirect."""
    form = client.get(f"{address}/", timeout=TIMEOUT)
    message = f"message {secrets.token_hex(8)}"
    fields = {"name": "Visitor", "message": message, "csrfmiddlewaretoken": TOKEN.findall(form.text)[0]}
    server = _server(client.post(f"{address}/", data=fields, timeout=TIMEOUT))
    traffic.messages.append(message)
    return server


def _server(answer: requests.Response) -> str:
    answer.raise_for_status()
    return SERVED_BY.findall(answer.text)[0]


VISITS: Sequence[Visit] = (*[keep_alive] * 4, new_connection, slow, slow, sign)


@contextmanager
def steady(addresses: Sequence[str], *, pace: float = PACE) -> Iterator[Traffic]:
    """Keep visitors busy, at each address in turn, for as long as the context lasts.

    :param pace: seconds between two requests of one visitor.
    """
    traffic, stop = Traffic(), threading.Event()

    def visit(kind: Visit, address: str) -> None:
        with requests.Session() as client:
            client.trust_env = False
            while not stop.is_set():
                traffic.requests.append(_made(kind, client, address, traffic))
                stop.wait(pace)

    chosen = [addresses[number % len(addresses)] for number in range(len(VISITS))]
    visitors = [threading.Thread(target=visit, args=pair) for pair in zip(VISITS, chosen, strict=True)]
    for visitor in visitors:
        visitor.start()
    try:
        yield traffic
    finally:
        stop.set()
        for visitor in visitors:
            visitor.join()


def _made(kind: Visit, client: requests.Session, address: str, traffic: Traffic) -> Request:
    began = time.monotonic()
    try:
        server, fault = kind(client, address, traffic), ""
    except (requests.RequestException, IndexError, ValueError) as error:
        server, fault = "", f"{type(error).__name__}: {error}"
    return Request(kind=kind.__name__, server=server, seconds=time.monotonic() - began, fault=fault)
