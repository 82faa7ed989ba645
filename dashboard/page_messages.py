"""What a page may say to Streamlit: draw again, stop, files and rows of its own. Everything else that Streamlit would
listen to is left unheard.

Its other words are for whoever develops an app. One of them empties every cache of the process for everybody, and in
those live the hub of the live prices, the confirmations that wait and the thread that sends orders:
anybody who may open a page could say it.
"""

from __future__ import annotations

import logging

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from dashboard.sparing import Sparing

PATH = "/_stcore/stream"
HEARD = frozenset({"rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request"})
HEARD_OPERATIONS = frozenset({"deferred_file", "dataframe_chunk"})
"""Of `backend_operation_request`; the others write into folders of this machine."""

log = logging.getLogger(__name__)


class PageMessages:
    """The ASGI layer. A message that is not heard, or is none, is passed over; the connection goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._refusals = Sparing(log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or not scope["path"].endswith(PATH):
            await self._app(scope, receive, send)
            return

        async def heard() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive" or is_heard(message.get("bytes")):
                    return message
                peer = scope["client"][0] if scope.get("client") else "somebody"
                self._refusals.info("a message of a page of %s was passed over: it is none that pages send", peer)

        await self._app(scope, heard, send)


def is_heard(data: bytes | None) -> bool:
    """May a page say this? `None`: a text, which Streamlit's pages never send."""
    if data is None:
        return False
    try:
        message = BackMsg.FromString(data)
    except DecodeError:
        return False
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        request = message.backend_operation_request
        return all(field.name in HEARD_OPERATIONS for field, _ in request.ListFields() if field.message_type)
    return kind in HEARD
