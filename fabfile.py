"""The table of contents for `fab`; `inv` finds the same list in the package `tasks`."""

from tasks import ns

__all__ = ["ns"]
