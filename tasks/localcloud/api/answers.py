"""An answer that is there before it is known whether the client gets it."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Answer:
    """What an application has answered, kept until it is known whether the client gets it."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._error: Exception | None = None

    async def from_app(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Let the application do its work."""
        try:
            await app(scope, receive, self._keep)
        except Exception as error:  # noqa: BLE001  a bug of the application: `give` raises it
            self._error = error

    async def give(self, send: Send) -> None:
        """Send the answer to the client.

        :raises Exception: what the application raised, after its answer.
        """
        for message in self._messages:
            await send(message)
        if self._error:
            raise self._error

    async def _keep(self, message: Message) -> None:
        self._messages.append(message)
