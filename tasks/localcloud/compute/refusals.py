"""What the model refuses to do, and why, in the words of the real services. The API turns these into answers."""

from __future__ import annotations


class Refusal(Exception):
    """A request that is understood and not carried out; nothing was changed."""


class BadRequest(Refusal):
    """The request itself is wrong."""


class Forbidden(Refusal):
    """A quota or a limit is reached, or the user's role does not allow it."""


class NotFound(Refusal):
    """What the request names does not exist."""


class Conflict(Refusal):
    """What the request names is in a state that does not allow it."""
