"""The load generator as a process of its own, and what it says it sent against what came."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from services.paper.feed.load import main, snapshots
from services.paper.feed.requests import Mode
from services.wire.feed import feed_v3_pb2 as pb
from tests.support.feed_paper import AUTHORIZE, DIRECT, FeedSocket, handshake_status

LOAD = ["--keys", "30", "--rate", "3000", "--seconds", "0.2", "--per-frame", "7", "--mode", "full"]


class Process:
    """A generator that has said that it is ready."""

    def __init__(self, *more: str) -> None:
        command = [sys.executable, "-m", "services.paper.feed.load", *LOAD, *more]
        self.running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ready = self.told()
        self.bearer = {"Authorization": f"Bearer {self.ready['access_token']}"}

    def told(self) -> dict[str, Any]:
        assert self.running.stdout is not None
        line = json.loads(self.running.stdout.readline())
        assert isinstance(line, dict)
        return line

    def end(self) -> None:
        if self.running.poll() is None:
            self.running.terminate()
        self.running.communicate(timeout=30)


@pytest.fixture
def process() -> Iterator[Process]:
    made = Process()
    yield made
    made.end()


def test_what_came_is_what_it_says_it_sent(process: Process) -> None:
    keys = process.ready["keys"]
    answer = requests.get(process.ready["base_url"] + AUTHORIZE, headers=process.bearer, timeout=30)
    socket = FeedSocket(answer.json()["data"]["authorized_redirect_uri"])
    assert socket.message().type == pb.market_info
    socket.ask("sub", keys[:20], "full")
    socket.ask("sub", keys[20:], "full")

    snapshot = socket.feeds(*keys[:20])
    rows, frames, size = 0, 0, 0
    last = dict.fromkeys(keys, process.ready["first_count"])
    while len(snapshot) < 30:
        snapshot |= dict(socket.message().feeds)
    while rows < 600:
        raw = socket.frame()
        feeds = pb.FeedResponse.FromString(raw).feeds
        rows, frames, size = rows + len(feeds), frames + 1, size + len(raw)
        for key, feed in feeds.items():
            assert feed.fullFeed.marketFF.vtt == last[key] + 1, "nothing is left out"
            last[key] += 1
    told = process.told()

    assert socket.end() == 1012
    socket.close()
    assert (told["updates"], told["frames"], told["bytes"], told["rounds"]) == (rows, frames, size, 20)
    assert process.running.wait(30) == 0


def test_the_direct_way_works_and_needs_the_token(process: Process) -> None:
    base = process.ready["base_url"].replace("http", "ws")
    socket = FeedSocket(base + DIRECT, header=process.bearer)

    assert socket.message().type == pb.market_info
    assert handshake_status(base + DIRECT) == 401
    assert requests.get(process.ready["base_url"] + AUTHORIZE, timeout=30).status_code == 401
    socket.close()


def test_it_ends_when_told_to(process: Process) -> None:
    process.running.send_signal(signal.SIGTERM)

    assert process.told()["updates"] == 0
    assert process.running.wait(30) == 1


def test_more_keys_than_the_market_lists_are_made_up() -> None:
    found = snapshots(2500, Mode.FULL)

    assert len({snap.listing.key for snap in found}) == 2500
    assert all(snap.volume is not None for snap in found)


def test_greeks_come_from_options() -> None:
    assert all(snap.greeks is not None for snap in snapshots(50, Mode.OPTION_GREEKS))


@pytest.mark.parametrize("wrong", [["--keys", "0"], ["--mode", "quote"], ["--rate", "many"]])
def test_wrong_options_end_with_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong)

    assert ended.value.code == 2
    capsys.readouterr()
