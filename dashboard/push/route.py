"""The websocket of the push channel: checks who opens it, then carries messages both ways."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.door import door_of
from dashboard.push.hub import Client, PushHub
from dashboard.push.messages import Painted, parse, parse_hello
from dashboard.push.protocol import direct_protocol
from dashboard.push.tokens import PushTokens
from services.domain.errors import InvalidRequest, UpstoxError

PATH = "/push"
HELLO_SECONDS = 5.0
SEND_SECONDS = 10.0
"""A browser that takes no byte for so long is let go."""
CLOSE_SECONDS = 1.0

POLICY, TRY_AGAIN, FORBIDDEN = 1008, 1013, 4401
"""Close codes: a message that makes no sense; full or too slow; a token that is over, or sealed with another key."""

log = logging.getLogger(__name__)


def push_routes(the_hub: Callable[[], PushHub], the_tokens: Callable[[], PushTokens]) -> list[BaseRoute]:
    """The route; hub and tokens are asked for when somebody comes. Names and origins of other sites are refused before
    it (`OwnNamesOnly`); a browser without an origin is none."""

    async def push(socket: WebSocket) -> None:
        hub, tokens = the_hub(), the_tokens()
        if not _is_own_page(socket):
            await socket.close(POLICY)
            return
        await socket.accept()
        client: Client | None = None
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                token, want = parse_hello(await socket.receive_text())
            if not tokens.accepts(token, door_of(socket.scope).owner):
                await socket.close(FORBIDDEN)
                return
            if hub.is_full:
                await socket.close(TRY_AGAIN)
                return
            direct = direct_protocol(socket)
            client = hub.join(want, None if direct is None else direct.write)
            await _serve(socket, hub, client)
        except InvalidRequest as error:
            log.warning("a message on the push channel was refused: %s", error)
            await _close(socket, POLICY)
        except UpstoxError as error:
            log.warning("the push channel has no prices: %s", error)
            await _close(socket, TRY_AGAIN)
        except TimeoutError:
            await _close(socket, TRY_AGAIN)
        except (WebSocketDisconnect, RuntimeError, KeyError):
            pass  # the tab is gone, or it sent bytes where text belongs
        finally:
            if client is not None:
                hub.leave(client)

    return [WebSocketRoute(PATH, push)]


async def _serve(socket: WebSocket, hub: PushHub, client: Client) -> None:
    """Carry messages both ways until either side ends."""
    listening = asyncio.create_task(_listen(socket, hub, client))
    telling = asyncio.create_task(_tell(socket, client))
    done, pending = await asyncio.wait({listening, telling}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    failures = [task.exception() for task in done]  # of both, or the one that is not looked at complains in the log
    for failure in failures:
        if failure is not None:
            raise failure


async def _listen(socket: WebSocket, hub: PushHub, client: Client) -> None:
    while True:
        message = parse(await socket.receive_text())
        if isinstance(message, Painted):
            hub.painted(message.number)
        else:
            hub.change(client, message)


async def _tell(socket: WebSocket, client: Client) -> None:
    """Empty the mailbox; what comes while it is empty goes past it where the server lets it."""
    while (text := await client.mail.get()) is not None:
        client.busy = True
        async with asyncio.timeout(SEND_SECONDS):
            await socket.send_text(text)
        client.busy = False
    await _close(socket, TRY_AGAIN)


async def _close(socket: WebSocket, code: int) -> None:
    """Say goodbye; whoever does not even take that is cut off."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code)
    except (RuntimeError, WebSocketDisconnect):
        pass
    except TimeoutError:
        if (direct := direct_protocol(socket)) is not None:
            direct.cut()


def _is_own_page(socket: WebSocket) -> bool:
    """Browsers always tell the origin of a page that opens a websocket, and do not hold it to the same origin."""
    origin = socket.headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() == socket.headers.get("host", "").lower()
