from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from dashboard.page_messages import HEARD, PATH, PageMessages, is_heard
from tests.support.doors import scope_of


def reaches_streamlit(*said: Message, path: str = PATH) -> list[Message]:
    """What of `said` comes through, until the browser leaves."""
    coming: list[Message] = [*said, {"type": "websocket.disconnect", "code": 1001}]
    heard: list[Message] = []

    async def streamlit(_scope: Scope, receive: Receive, _send: Send) -> None:
        while True:
            heard.append(await receive())
            if heard[-1]["type"] == "websocket.disconnect":
                return

    async def receive() -> Message:
        return coming.pop(0)

    async def send(_message: Message) -> None: ...

    asyncio.run(PageMessages(streamlit)(scope_of(path, kind="websocket"), receive, send))
    return heard[:-1]


def frame(message: BackMsg) -> Message:
    return {"type": "websocket.receive", "bytes": message.SerializeToString()}


def operation(**what: dict[str, str]) -> BackMsg:
    message = BackMsg()
    message.backend_operation_request.request_id = "r"
    message.backend_operation_request.session_id = "s"
    for name, values in what.items():
        part = getattr(message.backend_operation_request, name)
        part.SetInParent()
        for field, value in values.items():
            setattr(part, field, value)
    return message


def test_a_page_draws_itself_again() -> None:
    wish = BackMsg()
    wish.rerun_script.page_name = "orders"

    assert reaches_streamlit({"type": "websocket.connect"}, frame(wish)) == [
        {"type": "websocket.connect"},
        frame(wish),
    ]


def test_nobody_empties_the_caches_in_which_the_desk_lives() -> None:
    heartbeat = frame(BackMsg(app_heartbeat=True))

    assert reaches_streamlit(frame(BackMsg(clear_cache=True)), heartbeat) == [heartbeat]


def test_of_all_that_streamlit_understands_only_what_pages_need_is_heard() -> None:
    kinds = [field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields]

    for kind in kinds:
        message = BackMsg()
        if BackMsg.DESCRIPTOR.fields_by_name[kind].message_type is None:
            setattr(message, kind, True)
        else:
            getattr(message, kind).SetInParent()
        assert is_heard(message.SerializeToString()) == (kind in HEARD), kind
    assert set(kinds) >= HEARD


@pytest.mark.parametrize(
    ("message", "heard"),
    [
        (operation(dataframe_chunk={}), True),
        (operation(deferred_file={"file_id": "f"}), True),
        (operation(install_skills={}), False),
        (operation(dismiss_skills_nudge={}), False),
    ],
)  # fmt: skip
def test_a_page_gets_its_rows_and_files_and_installs_nothing(message: BackMsg, heard: bool) -> None:
    assert is_heard(message.SerializeToString()) is heard


@pytest.mark.parametrize("wrong", [{"text": "hello"}, {"bytes": b"\xff\xff\xff"}, {"bytes": b""}, {}])
def test_what_is_no_message_at_all_is_passed_over(wrong: dict[str, object]) -> None:
    assert reaches_streamlit({"type": "websocket.receive", **wrong}) == []


def test_other_websockets_are_left_alone() -> None:
    text: Message = {"type": "websocket.receive", "text": "hello"}

    assert reaches_streamlit(text, path="/push") == [text]
