"""Disposable servers: the task collection that `fab` and `inv` offer, as `tasks.ns`."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Make the collection when it is asked for.

    The local cloud's daemon and servers are modules of this package too; they must not load Fabric.
    """
    if name == "ns":
        from tasks.collection import ns

        return ns
    raise AttributeError(name)
