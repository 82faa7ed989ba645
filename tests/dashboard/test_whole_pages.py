"""What was drawn is sent before a part of it is drawn anew; a whole run replaces what is still to be sent."""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from dashboard.whole_pages import keep_pages_whole


class Queue(ForwardMsgQueue):
    """Streamlit's own, but for tests alone."""


keep_pages_whole(Queue)
keep_pages_whole(Queue)


def block(*path: int, part: str = "") -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path[:] = path
    message.delta.add_block.allow_empty = True
    message.delta.fragment_id = part
    return message


def finished() -> ForwardMsg:
    return ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)


def whole_run(queue: ForwardMsgQueue) -> None:
    """A page with a part, in which there is another part, and something behind it."""
    for message in (block(0, 0), block(0, 1, part="outer"), block(0, 1, 0, part="inner"), block(0, 2), finished()):
        queue.enqueue(message)


def paths(queue: ForwardMsgQueue) -> list[tuple[int, ...]]:
    return [tuple(one.metadata.delta_path) for one in queue.flush()]


@pytest.mark.parametrize("renewed", ["outer", "inner"])
def test_a_part_that_is_renewed_comes_behind_the_whole_page(renewed: str) -> None:
    queue = Queue()
    whole_run(queue)

    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=[renewed])
    queue.enqueue(block(0, 1, part=renewed))

    assert paths(queue) == [(0, 0), (0, 1), (0, 1, 0), (0, 2), (), (0, 1)]


def test_a_whole_run_throws_away_what_it_draws_anew() -> None:
    queue = Queue()
    whole_run(queue)

    queue.clear(retain_lifecycle_msgs=True)

    assert paths(queue) == [()], "only that a run has ended"


def test_what_was_sent_is_gone() -> None:
    queue = Queue()
    whole_run(queue)
    queue.flush()

    assert queue.is_empty()


def test_streamlit_itself_would_send_what_lies_in_a_part_and_not_the_part() -> None:
    """Once it does not, `whole_pages` may go."""
    spec = find_spec(ForwardMsgQueue.__module__)
    assert spec is not None and spec.loader is not None  # noqa: PT018 - for the types
    untouched = module_from_spec(spec)  # a desk in this process may have changed the other
    spec.loader.exec_module(untouched)
    queue = untouched.ForwardMsgQueue()
    whole_run(queue)

    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["outer"])

    assert (0, 1) not in paths(queue)
