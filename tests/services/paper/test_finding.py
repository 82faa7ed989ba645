from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
import requests

from services.domain.errors import BrokerNotAnswering, ConfigurationError
from services.paper.finding import CARD, Found, answers, claim, find_or_start, read_card
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from tests.support.paper import STILL, KnownMarket
from tests.support.shared_data import ROOT

OWNER = """
import sys, time
from pathlib import Path
from services.paper.finding import find_or_start
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from tests.support.paper import STILL, KnownMarket

folder = Path(sys.argv[1])

def make(options, old_port):
    return PaperServer(options, market=KnownMarket(), old_port=old_port)

found = find_or_start(folder, PaperOptions(folder, clock=STILL), make=make)
print("owner" if found.server else "guest", found.base_url, flush=True)
sys.stdin.read()
found.close()
"""


def make(options: PaperOptions, *, old_port: int) -> PaperServer:
    return PaperServer(options, market=KnownMarket(), old_port=old_port)


def find(folder: Path, *, timeout: float = 5.0, clock: str = STILL) -> Found:
    return find_or_start(folder, PaperOptions(folder, clock=clock), timeout=timeout, make=make)


@contextmanager
def another_process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A second program on the same folder: its process, `owner` or `guest`, and the address it got."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    role, url = process.stdout.readline().split()
    try:
        yield process, role, url
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.stdin.close()
            process.wait(30)
        process.stdin.close()
        process.stdout.close()


def profile(found: Found) -> int:
    headers = {"Authorization": f"Bearer {found.access_token()}"}
    return requests.get(f"{found.base_url}/v2/user/profile", headers=headers, timeout=30).status_code


def test_the_first_owns_the_folder_and_the_second_is_its_guest(tmp_path: Path) -> None:
    owner, guest = find(tmp_path), find(tmp_path)

    assert owner.server is not None
    assert guest.server is None
    assert guest.base_url == owner.base_url
    assert (profile(owner), profile(guest)) == (200, 200)
    guest.close()
    assert profile(owner) == 200
    owner.close()


def test_after_the_owner_a_guest_becomes_owner_on_the_same_port(tmp_path: Path) -> None:
    owner = find(tmp_path)
    guest = find(tmp_path)
    owner.close()
    assert not answers(guest.read_card())

    heir = find(tmp_path)

    assert heir.server is not None
    assert heir.base_url == guest.base_url
    assert profile(guest) == 200, "the guest's address and card lead to the heir"
    heir.close()


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_the_card_is_its_owners_only_and_hides_its_token(tmp_path: Path) -> None:
    found = find(tmp_path)
    card = found.read_card()
    found.close()

    assert (tmp_path / CARD).stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / CARD).read_text()).keys() == {"base_url", "access_token", "instance", "pid"}
    assert card.access_token not in repr(card)
    assert card.pid == os.getpid()


def test_many_at_once_find_one_broker(tmp_path: Path) -> None:
    found: list[Found] = []
    start = threading.Barrier(12)

    def run() -> None:
        start.wait()
        found.append(find(tmp_path, timeout=20))

    threads = [threading.Thread(target=run) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 12
    assert len([one for one in found if one.server is not None]) == 1
    assert len({one.base_url for one in found}) == 1
    for one in found:
        one.close()


@pytest.mark.parametrize(
    "card",
    [
        b"",
        b"{",
        b"[]",
        b'{"base_url": 7}',
        b'{"base_url": "http://evil.example", "access_token": "t", "instance": "i", "pid": 1}',
        b'{"base_url": "http://127.0.0.1:1", "access_token": "t", "instance": "i", "pid": 1}',
        b'{"base_url": "http://127.0.0.1:99999", "access_token": "t", "instance": "i", "pid": 1}',
    ],
)
def test_a_stale_or_damaged_card_does_no_harm(tmp_path: Path, card: bytes) -> None:
    (tmp_path / CARD).write_bytes(card)

    found = find(tmp_path)

    assert found.server is not None
    assert profile(found) == 200
    found.close()


def test_a_card_that_points_elsewhere_is_not_believed(tmp_path: Path) -> None:
    told = {"base_url": "http://evil.example:80", "access_token": "t", "instance": "i", "pid": 1}
    (tmp_path / CARD).write_bytes(orjson.dumps(told))

    assert read_card(tmp_path) is None


def test_the_card_is_rewritten_when_the_token_is_renewed(tmp_path: Path) -> None:
    owner = find(tmp_path)
    guest = find(tmp_path)
    before = guest.access_token()
    requests.delete(f"{owner.base_url}/v2/logout", headers={"Authorization": f"Bearer {before}"}, timeout=30)

    renewed = guest.access_token()

    assert renewed != before
    assert owner.access_token() == renewed
    assert profile(guest) == 200
    owner.close()


def test_a_folder_that_is_held_without_an_answer_is_said_in_words(tmp_path: Path) -> None:
    lock = claim(tmp_path)
    assert lock is not None

    with pytest.raises(BrokerNotAnswering, match=r"holds .* but does not answer"):
        find(tmp_path, timeout=0.2)

    lock.release()


def test_who_waits_for_a_holder_is_let_go_when_the_desk_closes(tmp_path: Path) -> None:
    lock, stop = claim(tmp_path), threading.Event()
    assert lock is not None
    stop.set()

    with pytest.raises(BrokerNotAnswering, match="closing"):
        find_or_start(tmp_path, PaperOptions(tmp_path, clock=STILL), timeout=60, make=make, stop=stop)

    lock.release()


def test_a_broker_that_cannot_start_leaves_the_folder_free(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="clock"):
        find(tmp_path, clock="noon")

    found = find(tmp_path)
    assert found.server is not None
    found.close()


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_killed_owner_is_followed_on_the_same_port(tmp_path: Path) -> None:
    with another_process(tmp_path) as (process, role, url):
        assert role == "owner"
        guest = find(tmp_path)
        assert (guest.server, guest.base_url) == (None, url)
        process.kill()
        process.wait(30)

        heir = find(tmp_path)

        assert heir.server is not None
        assert heir.base_url == url
        assert profile(guest) == 200
        heir.close()


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_stopped_owner_is_not_replaced(tmp_path: Path) -> None:
    with another_process(tmp_path) as (process, _, url):
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)  # a signal takes a moment
        with pytest.raises(BrokerNotAnswering, match=f"process {process.pid}.*does not answer"):
            find(tmp_path, timeout=0.3)

        process.send_signal(signal.SIGCONT)
        assert find(tmp_path).base_url == url


def test_a_guest_of_our_own_process_is_seen_by_another(tmp_path: Path) -> None:
    owner = find(tmp_path)

    with another_process(tmp_path) as (_, role, url):
        assert (role, url) == ("guest", owner.base_url)
    owner.close()
