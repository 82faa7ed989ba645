"""The pump tells everybody what changed, encoded once, and waits for nobody."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from dashboard.push.fields import PLACE
from dashboard.push.hub import (
    A_MESSAGE_SECONDS,
    BEAT_SECONDS,
    MAILBOX,
    MOST_REST_SECONDS,
    REST,
    TIMES_A_SECOND,
    Client,
    PushHub,
)
from dashboard.push.messages import Want
from dashboard.push.protocol import text_frame
from tests.support.clocks import FakeMonotonic
from tests.support.push import FakePrices
from tests.support.readings import INFY, RELIANCE, row

BOTH = Want(frozenset({RELIANCE, INFY}))


@pytest.fixture
def prices() -> FakePrices:
    made = FakePrices()
    made.put(row(RELIANCE, 1500.0), row(INFY, 1600.0))
    return made


@pytest.fixture
def monotonic() -> FakeMonotonic:
    return FakeMonotonic()


@pytest.fixture
def painted() -> list[float]:
    return []


@pytest.fixture
def hub(prices: FakePrices, monotonic: FakeMonotonic, painted: list[float]) -> PushHub:
    return PushHub(lambda: prices, painted=painted.append, monotonic=monotonic)


def mail(client: Client) -> list[Any]:
    came = []
    while not client.mail.empty():
        text = client.mail.get_nowait()
        came.append(None if text is None else orjson.loads(text))
    return came


def ltp(message: Any, key: str) -> float:
    return float(message["rows"][key][PLACE["ltp"]])


def test_a_newcomer_is_told_the_whole_state(hub: PushHub) -> None:
    client = hub.join(Want(frozenset({RELIANCE}), frozenset({INFY})))

    [state] = mail(client)

    assert state["t"] == "state"
    assert (list(state["rows"]), list(state["depth"])) == ([RELIANCE], [INFY])
    assert ltp(state, RELIANCE) == 1500.0
    assert state["feed"]["live"] is True


def test_then_only_what_changed_and_only_of_what_it_wants(hub: PushHub, prices: FakePrices) -> None:
    one, two = hub.join(BOTH), hub.join(Want(frozenset({INFY})))
    hub.step()
    mail(one), mail(two)

    prices.put(row(RELIANCE, 1501.0))
    hub.step()

    [diff] = mail(one)
    assert (diff["t"], list(diff["rows"]), ltp(diff, RELIANCE)) == ("diff", [RELIANCE], 1501.0)
    assert mail(two) == []


def test_those_who_want_the_same_get_the_same_text(hub: PushHub, prices: FakePrices) -> None:
    one, two = hub.join(BOTH), hub.join(BOTH)
    hub.step()
    mail(one), mail(two)
    prices.put(row(INFY, 1601.0))
    hub.step()

    assert one.mail.get_nowait() is two.mail.get_nowait(), "encoded once"


def test_a_quiet_market_still_has_a_beat(hub: PushHub, monotonic: FakeMonotonic) -> None:
    client = hub.join(BOTH)
    hub.step()
    mail(client)

    hub.step()
    assert mail(client) == []
    monotonic.now += BEAT_SECONDS
    hub.step()
    assert [message["t"] for message in mail(client)] == ["beat"]


def test_a_feed_that_is_lost_is_told_at_once(hub: PushHub, prices: FakePrices) -> None:
    client = hub.join(BOTH)
    hub.step()
    mail(client)

    prices.feed = {"live": False, "state": "waiting to reconnect", "why": "it was cut off"}
    hub.step()
    [beat] = mail(client)
    assert (beat["t"], beat["feed"]) == ("beat", prices.feed)
    hub.step()
    assert mail(client) == [], "and once"


def test_who_cannot_be_told_anything_holds_nothing(hub: PushHub, prices: FakePrices) -> None:
    def broken() -> None:
        raise RuntimeError("the runtime is closed")

    prices.word = broken  # type: ignore[method-assign,assignment]
    with pytest.raises(RuntimeError):
        hub.join(BOTH)

    assert (len(hub), prices.held) == (0, {})


def test_a_changed_want_brings_a_whole_state_and_holds_other_keys(hub: PushHub, prices: FakePrices) -> None:
    client = hub.join(Want(frozenset({INFY})))
    mail(client)
    hub.change(client, Want(frozenset({RELIANCE})))

    [state] = mail(client)
    assert (state["t"], list(state["rows"])) == ("state", [RELIANCE])
    assert prices.held == {client.name: frozenset({RELIANCE})}
    hub.change(client, Want(frozenset({RELIANCE})))
    assert mail(client) == [], "nothing new was said"


def test_who_leaves_lets_its_keys_go(hub: PushHub, prices: FakePrices) -> None:
    one, two = hub.join(BOTH), hub.join(BOTH)
    hub.leave(one)

    assert (len(hub), list(prices.held)) == (1, [two.name])
    hub.leave(two)
    assert prices.held == {}


def test_who_is_too_slow_is_let_go_and_nobody_waits(
    hub: PushHub, prices: FakePrices, caplog: pytest.LogCaptureFixture
) -> None:
    slow, quick = hub.join(BOTH), hub.join(BOTH)
    with caplog.at_level(logging.INFO):
        for n in range(MAILBOX + 1):
            prices.put(row(RELIANCE, 1500.0 + n))
            hub.step()
            mail(quick)

    assert mail(slow)[-1] is None
    assert (len(hub), hub.let_go) == (1, 1)
    assert "too slow" in caplog.text


def test_the_way_to_the_screen_is_measured_from_the_sending(
    hub: PushHub, monotonic: FakeMonotonic, painted: list[float]
) -> None:
    client = hub.join(BOTH)
    [state] = mail(client)
    monotonic.now += 0.02
    hub.painted(state["n"])
    hub.painted(10_000)

    assert painted == [pytest.approx(0.02)]


def test_a_full_hub_says_so(prices: FakePrices) -> None:
    hub = PushHub(lambda: prices, most_clients=1)
    hub.join(BOTH)

    assert hub.is_full


def test_close_lets_everybody_go(hub: PushHub) -> None:
    client = hub.join(BOTH)
    hub.close()

    assert mail(client)[-1] is None


# -- past the mailbox ------------------------------------------------------------------------------------------------


class Line:
    """A connection that takes frames, or does not."""

    def __init__(self) -> None:
        self.open = True
        self.frames: list[bytes] = []

    def __call__(self, frame: bytes) -> bool:
        if self.open:
            self.frames.append(frame)
        return self.open


def test_who_can_be_told_at_once_gets_the_same_bytes_as_all_who_want_the_same(hub: PushHub, prices: FakePrices) -> None:
    lines = [Line(), Line()]
    clients = [hub.join(BOTH, line) for line in lines]
    hub.step()
    for client in clients:
        mail(client)
    prices.put(row(INFY, 1601.0))
    hub.step()

    [[one], [two]] = [line.frames for line in lines]
    assert one is two
    assert orjson.loads(one[2 if one[1] < 126 else 4 :])["t"] == "diff"
    assert [mail(client) for client in clients] == [[], []]


def test_nothing_overtakes_what_waits(hub: PushHub, prices: FakePrices) -> None:
    line = Line()
    client = hub.join(BOTH, line)
    prices.put(row(INFY, 1601.0))
    hub.step()
    assert [message["t"] for message in mail(client)] == ["state", "diff"], "the state is not told yet"

    client.busy = True  # the last of it is on its way
    prices.put(row(INFY, 1602.0))
    hub.step()
    client.busy = False
    assert [ltp(message, INFY) for message in mail(client)] == [1602.0]
    assert line.frames == []


def test_what_a_connection_does_not_take_waits_in_the_mailbox(hub: PushHub, prices: FakePrices) -> None:
    line = Line()
    client = hub.join(BOTH, line)
    mail(client)
    hub.step()
    line.open = False
    prices.put(row(INFY, 1601.0))
    hub.step()
    line.open = True
    prices.put(row(INFY, 1602.0))
    hub.step()

    assert [ltp(message, INFY) for message in mail(client)] == [1601.0, 1602.0]
    assert len(line.frames) == 1, "the first one only"


def test_who_looks_elsewhere_is_told_with_those_who_look_there(hub: PushHub, prices: FakePrices) -> None:
    one, two = hub.join(BOTH), hub.join(Want(frozenset({INFY})))
    hub.change(one, Want(frozenset({INFY})))
    hub.step()
    mail(one), mail(two)
    prices.put(row(RELIANCE, 1501.0), row(INFY, 1601.0))
    hub.step()

    assert one.mail.get_nowait() is (told := two.mail.get_nowait())
    assert list(orjson.loads(told)["rows"]) == [INFY]
    hub.leave(one)
    hub.leave(two)
    hub.step()
    assert (mail(one), mail(two), len(hub)) == ([], [], 0)


def test_after_a_pass_that_took_long_the_loop_is_left_to_others(hub: PushHub) -> None:
    assert hub.rest(0.001) == pytest.approx(1 / TIMES_A_SECOND - 0.001)
    assert hub.rest(0.02) == pytest.approx(REST * 0.02)
    assert hub.rest(2.0) == MOST_REST_SECONDS


def test_the_more_was_sent_the_longer_is_the_pause(hub: PushHub, prices: FakePrices) -> None:
    for _ in range(200):
        hub.join(BOTH)
    hub.join(Want(frozenset({INFY})))
    hub.step()
    assert hub.pause == pytest.approx(201 * A_MESSAGE_SECONDS)

    prices.put(row(RELIANCE, 1501.0))
    hub.step()
    assert hub.pause == pytest.approx(200 * A_MESSAGE_SECONDS)
    hub.step()
    assert hub.pause == 1 / TIMES_A_SECOND


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_text_is_framed_as_a_browser_reads_it(size: int) -> None:
    frame = text_frame("x" * size)
    [head, told] = [frame[:1], frame[1]]

    assert head == b"\x81"
    wide = {126: 2, 127: 8}.get(told, 0)
    assert (int.from_bytes(frame[2 : 2 + wide], "big") if wide else told) == size
    assert frame[2 + wide :] == b"x" * size


def test_news_of_orders_are_told_to_everybody_at_once_and_once(prices: FakePrices, monotonic: FakeMonotonic) -> None:
    happened: list[dict[str, Any]] = []
    hub = PushHub(lambda: prices, news=lambda after: [one for one in happened if one["n"] > after], monotonic=monotonic)
    one, two = hub.join(BOTH), hub.join(Want(frozenset({INFY})))
    hub.step()
    mail(one), mail(two)
    happened.append({"n": 7, "text": "Bought 4 of 10 RELIANCE"})
    hub.step()
    hub.step()

    for client in (one, two):
        [message] = mail(client)
        assert message["news"] == [{"n": 7, "text": "Bought 4 of 10 RELIANCE"}]
        assert message["t"] == "beat"


def test_what_was_handed_over_is_counted_and_told(prices: FakePrices, monotonic: FakeMonotonic) -> None:
    told: list[frozenset[str]] = []
    whole: list[float] = []

    def sent(rows: Mapping[str, Any]) -> float | None:
        told.append(frozenset(rows))
        return 0.03

    hub = PushHub(lambda: prices, sent=sent, whole_way=whole.append, monotonic=monotonic)
    clients = [hub.join(BOTH) for _ in range(2)]
    hub.step()
    before = hub.sent
    mail(clients[0])

    prices.put(row(RELIANCE, 1501.0))
    hub.step()
    [message] = mail(clients[0])
    monotonic.now += 0.02
    hub.painted(message["n"])

    assert hub.sent - before == 2
    assert told[-1] == {RELIANCE}
    assert whole == [pytest.approx(0.05)]
