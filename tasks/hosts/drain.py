"""How many connections a server's app still has: read from the kernel's own tables. Pure, but for the script.

`/proc/net/tcp` is on every Linux, whichever tools an image lacks. Counted are established connections whose *local* end
is the private IP and the node port: the local cloud's servers share one network, and there both ends are listed.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from tasks.hosts.running import Command
from tasks.waiting import Patience

# One attempt: a server that drains has been up for long, and is asked again in a second.
_PATIENCE = Patience(limit=0.0)
_LINE = re.compile(r"^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 01\b")


def ask_connections(port: int, deadline: float) -> Command:
    """Print the kernel's lines about established connections at a local port. None is no failure, unlike no table."""
    pattern = f"^ *[0-9]+: [0-9A-F]+:{port:04X} [0-9A-F]+:[0-9A-F]+ 01 "
    count = f"grep -hE '{pattern}' /proc/net/tcp /proc/net/tcp6 2> /dev/null; true"
    script = f"cat /proc/net/tcp > /dev/null && {{ {count}; }}"
    return Command(stage="drain", name="counting connections", script=script, deadline=deadline, patience=_PATIENCE)


def count(table: str, address: str, port: int) -> int:
    """Count the established connections at a local address and port in the text of /proc/net/tcp and tcp6."""
    ours = _spellings(address)
    found = (match for line in table.splitlines() if (match := _LINE.match(line)))
    return sum(match[1] in ours and int(match[2], 16) == port for match in found)


def said(connections: int) -> str:
    """Say how many connections there are."""
    return "1 connection" if connections == 1 else f"{connections or 'no'} connections"


def _spellings(address: str) -> frozenset[str]:
    """Give an address as the kernel prints it: 32-bit words in the byte order of its machine, and mapped into IPv6."""
    packed = ip_address(address).packed
    mapped = packed if len(packed) == 16 else bytes(10) + b"\xff\xff" + packed
    return frozenset(_words(form, order) for form in (packed, mapped) for order in ("little", "big"))


def _words(packed: bytes, order: str) -> str:
    words = (packed[start : start + 4] for start in range(0, len(packed), 4))
    return "".join((word[::-1] if order == "little" else word).hex().upper() for word in words)
