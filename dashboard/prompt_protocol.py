"""The server's HTTP, for a network: who opens a connection says soon what they want, or is let go.

uvicorn waits for ever for a request that does not come, or comes by a letter a minute. Each such connection takes one
of the files that the process may open (256 to 1024 on many machines), and with those gone the desk reaches neither its
broker nor its ledger: anybody in the network could do that without a sign-in.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.h11_impl import H11Protocol

from dashboard.sparing import A_MINUTE

HEAD_SECONDS = 15.0
"""So long a request may take to say what it wants, from the opening of the connection or from its first letter."""
_OF_STREAMLIT = "auto"
"""The name of the protocol that Streamlit asks uvicorn for."""
_MOST_TEXTS = 100


class PromptProtocol(H11Protocol):
    """Closes a connection on which no request is, nor an answer on its way, `HEAD_SECONDS` after it began to wait.
    Between two requests uvicorn's own, shorter time holds."""

    def __init__(self, *given: Any, **named: Any) -> None:  # Any: passed on as uvicorn gives them
        super().__init__(*given, **named)
        self._letting_go: asyncio.TimerHandle | None = None
        self._handed_on = False  # it is a websocket now, and another's

    def connection_made(self, transport: Any) -> None:  # Any: the base class narrows asyncio's type
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._handed_on = True
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Begin to count, or stop. What comes in pieces does not begin the count anew."""
        if self._handed_on or (self.conn.their_state is not h11.IDLE and not self._answered()):
            self._stop()
        elif self._letting_go is None:
            self._letting_go = self.loop.call_later(HEAD_SECONDS, self._let_go)

    def _stop(self) -> None:
        if self._letting_go is not None:
            self._letting_go.cancel()
            self._letting_go = None

    def _answered(self) -> bool:
        return self.cycle is not None and bool(self.cycle.response_complete)

    def _let_go(self) -> None:
        self._letting_go = None
        if self.transport.is_closing():
            return
        if not self._answered():
            self.transport.abort()
            return
        self.transport.close()  # what is left of an answer to a longer body goes out first, if it is taken in time
        self._letting_go = self.loop.call_later(HEAD_SECONDS, self._cut)

    def _cut(self) -> None:
        self._letting_go = None
        self.transport.abort()


class FewOfAKind(logging.Filter):
    """Lets a warning pass `most` times a minute: strangers cause it by the thousand, and must not be able to write over
    what the log said before."""

    def __init__(self, *, most: int = A_MINUTE, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._most = most
        self._monotonic = monotonic
        self._since: dict[str, tuple[float, int]] = {}  # by the text, of which the server has a handful

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING:
            return True
        now, text = self._monotonic(), str(record.msg)
        if len(self._since) > _MOST_TEXTS:
            self._since.clear()
        since, count = self._since.get(text, (now, 0))
        if now - since >= 60:
            since, count = now, 0
        self._since[text] = since, count + 1
        return count < self._most


def use_prompt_protocol() -> None:
    """Have the server that is started next speak through `PromptProtocol`, and complain sparingly."""
    logger = logging.getLogger("uvicorn.error")
    if not any(isinstance(one, FewOfAKind) for one in logger.filters):
        logger.addFilter(FewOfAKind())
    HTTP_PROTOCOLS[_OF_STREAMLIT] = f"{PromptProtocol.__module__}:{PromptProtocol.__qualname__}"
