"""A recorded session as a source of prices: the file, the market made of it, and the broker that plays it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from services.domain.clock import epoch_ms, from_epoch_ms
from services.domain.errors import ConfigurationError
from services.paper.feed.encoding import RowEncoder, frame
from services.paper.feed.recorded import RecordedMarket
from services.paper.feed.recording_file import Recording, find_recording
from services.paper.feed.requests import Mode
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.wire.feed import feed_v3_pb2 as pb
from services.wire.feed.recording import RecordingEncoder, RecordingHeader
from tests.support.feed_paper import FeedSocket, MovingMarket
from tests.support.paper import CALL, CRUDE, INFY, NIFTY, RELIANCE, Client

START = datetime.fromisoformat("2026-11-20T11:15:00+05:30")
START_MS = epoch_ms(START)
STRANGER = "NSE_FO|777777"
Frames = list[tuple[int, bytes]]


def rows(prices: dict[str, float], mode: Mode = Mode.FULL, *, at_ms: int = START_MS) -> bytes:
    """A frame of these prices, as a broker sends it."""
    market = MovingMarket()
    for key, price in prices.items():
        market.move(key, price)
    encoder = RowEncoder()
    snaps = market.snapshots(prices, from_epoch_ms(at_ms))
    return frame([encoder.row(snap, mode) for snap in snaps], at_ms)


def written(path: Path, frames: Iterable[tuple[int, bytes]], *, source: str = "live") -> Path:
    encoder = RecordingEncoder(RecordingHeader(date(2026, 11, 20), source, START_MS))
    with path.open("wb") as file:
        file.write(encoder.start())
        for received_ms, body in frames:
            file.write(encoder.add(received_ms, body))
        file.write(encoder.flush())
    return path


def played(path: Path, frames: Frames, **given: str) -> RecordedMarket:
    recording = find_recording(f"replay:{written(path / 'day.feed', frames, **given)}")
    assert recording is not None
    return RecordedMarket(recording, MovingMarket())


def price(market: RecordedMarket, key: str, after_ms: int) -> float:
    [snap] = market.snapshots([key], START + timedelta(milliseconds=after_ms))
    return snap.ltp


# --- the file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "speed"), [("", 1.0), ("x60", 60.0), ("x0.5", 0.5)])
def test_a_recording_is_known_by_its_content(tmp_path: Path, suffix: str, speed: float) -> None:
    path = written(tmp_path / "box.feed", [(START_MS + 7, rows({RELIANCE: 1500.0}))])

    recording = find_recording(f"replay:{path}{suffix}")

    assert recording == Recording(path, speed, date(2026, 11, 20), "live", START_MS + 7)


@pytest.mark.parametrize("prices", ["simulated", "replay:", "replay:/nowhere/at.all", "nonsense"])
def test_what_is_no_recording_is_left_to_others(prices: str) -> None:
    assert find_recording(prices) is None


def test_candles_are_no_recording(tmp_path: Path) -> None:
    (tmp_path / "candles.csv").write_text("timestamp,open,high,low,close,volume\n" * 500)

    assert find_recording(f"replay:{tmp_path / 'candles.csv'}") is None
    assert find_recording(f"replay:{tmp_path}") is None


def test_a_recording_without_a_frame_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "day.feed", [])

    with pytest.raises(ConfigurationError, match="no frame"):
        find_recording(f"replay:{path}")


def test_a_recording_must_run_forwards(tmp_path: Path) -> None:
    path = written(tmp_path / "day.feed", [(START_MS, rows({RELIANCE: 1.0}))])

    with pytest.raises(ConfigurationError, match="speed"):
        find_recording(f"replay:{path}x-3")


def test_a_torn_end_is_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "day.feed", [(START_MS, rows({RELIANCE: 1.0}))])
    path.write_bytes(path.read_bytes() + b"\xf1DF\x00\x02 torn")

    recording = find_recording(f"replay:{path}")

    assert recording is not None
    assert [record.received_ms for record in recording.records()] == [START_MS]
    assert "10 damaged bytes were skipped" in caplog.text


def test_its_clock_starts_with_the_first_frame_and_runs_at_its_speed(tmp_path: Path) -> None:
    path = written(tmp_path / "day.feed", [(START_MS, rows({RELIANCE: 1.0}))])
    recording = find_recording(f"replay:{path}x10")
    assert recording is not None
    seconds = [100.0]

    clock = recording.clock(monotonic=lambda: seconds[0])
    seconds[0] += 3

    assert (clock.mode, clock.speed) == ("simulated", 10.0)
    assert clock.now() == datetime.fromtimestamp(START_MS / 1000, UTC) + timedelta(seconds=30)


# --- the market ------------------------------------------------------------------------------------------------------


def test_prices_are_those_of_the_last_frame(tmp_path: Path) -> None:
    frames = [
        (START_MS, rows({RELIANCE: 1500.0, NIFTY: 26000.0})),
        (START_MS + 900, rows({RELIANCE: 1501.0})),
        (START_MS + 1800, rows({RELIANCE: 1502.0})),
    ]
    market = played(tmp_path, frames)

    assert [price(market, RELIANCE, ms) for ms in (0, 899, 900, 1799, 5000)] == [1500, 1500, 1501, 1501, 1502]
    assert price(market, NIFTY, 5000) == 26000.0
    assert market.next_change_ms() is None


def test_a_snapshot_holds_everything_of_a_full_row(tmp_path: Path) -> None:
    market = played(tmp_path, [(START_MS + 40, rows({RELIANCE: 1500.0, CALL: 190.0, NIFTY: 26000.0}))])
    original = MovingMarket()
    for key, moved in ((RELIANCE, 1500.0), (CALL, 190.0), (NIFTY, 26000.0)):
        original.move(key, moved)

    for key in (RELIANCE, CALL, NIFTY):
        [told] = market.snapshots([key], START + timedelta(seconds=1))
        [real] = original.snapshots([key], from_epoch_ms(START_MS))
        assert (told.ltp, told.prev_close, told.last_trade_ms) == (real.ltp, real.prev_close, real.last_trade_ms)
        assert (told.open, told.high, told.low, told.volume) == (real.open, real.high, real.low, real.volume)
        assert [(at.price, at.quantity) for at in told.bids] == [(at.price, at.quantity) for at in real.bids]
        assert (told.oi, told.total_buy_quantity, told.at_ms) == (real.oi, real.total_buy_quantity, START_MS + 40)
        assert (told.greeks is None) == (real.greeks is None)
        assert told.last_minute == real.last_minute
        assert told.lower_circuit is None, "not in the feed, so not known"


def test_an_instrument_of_the_first_minute_stands_at_its_first_frame_until_then(tmp_path: Path) -> None:
    frames = [
        (START_MS, rows({RELIANCE: 1500.0})),
        (START_MS + 30_000, rows({INFY: 111.0})),
        (START_MS + 90_000, rows({CALL: 999.0})),
    ]
    market = played(tmp_path, frames)

    assert price(market, INFY, 0) == 111.0
    assert price(market, CALL, 0) == 187.8, "of the market behind"
    assert price(market, CALL, 90_000) == 999.0


def test_what_is_not_recorded_comes_from_the_market_behind(tmp_path: Path) -> None:
    market = played(tmp_path, [(START_MS, rows({RELIANCE: 1500.0}))])

    told = market.snapshots([CRUDE, RELIANCE, INFY], START)

    assert [snap.listing.key for snap in told] == [CRUDE, RELIANCE, INFY]
    assert [snap.ltp for snap in told] == [100.0, 1500.0, 100.0]
    with pytest.raises(KeyError):
        market.snapshots(["NSE_EQ|NOBODY"], START)


def test_a_recorded_key_that_no_file_names_is_listed_by_itself(tmp_path: Path) -> None:
    body = pb.FeedResponse(type=pb.live_feed, currentTs=START_MS)
    body.feeds[STRANGER].ltpc.ltp = 12.5
    body.feeds[STRANGER].ltpc.ltt = START_MS
    market = played(tmp_path, [(START_MS, body.SerializeToString())])

    listing = market.listings(START)[STRANGER]

    assert (listing.segment, listing.exchange) == ("NSE_FO", "NSE")
    assert price(market, STRANGER, 0) == 12.5
    assert RELIANCE in market.listings(START)
    assert market.listings(START) is market.listings(START)


def test_frames_without_prices_and_frames_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    info = pb.FeedResponse(type=pb.market_info, currentTs=START_MS).SerializeToString()
    market = played(tmp_path, [(START_MS, info), (START_MS + 1, b"\xff\xff"), (START_MS + 2, rows({INFY: 3.0}))])

    assert price(market, INFY, 10) == 3.0


def test_minutes_are_counted_from_the_rows(tmp_path: Path) -> None:
    def traded(after_ms: int, ltp: float, volume: int) -> tuple[int, bytes]:
        body = pb.FeedResponse(type=pb.live_feed, currentTs=START_MS + after_ms)
        market = body.feeds[RELIANCE].fullFeed.marketFF
        market.ltpc.ltp, market.ltpc.ltt, market.vtt = ltp, START_MS + after_ms, volume
        return START_MS + after_ms, body.SerializeToString()

    market = played(
        tmp_path,
        [
            traded(0, 100.0, 1000),
            traded(1000, 103.0, 1010),
            traded(2000, 99.0, 1025),
            traded(61_000, 101.0, 1030),
            traded(200_000, 90.0, 1100),
        ],
    )

    bars = market.minute_bars(RELIANCE, START + timedelta(seconds=100))

    assert [(bar.start_ms - START_MS, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars] == [
        (0, 100.0, 103.0, 99.0, 99.0, 25),
        (60_000, 101.0, 101.0, 101.0, 101.0, 5),
    ]


def test_candles_of_today_are_the_recorded_ones_and_older_days_come_from_behind(tmp_path: Path) -> None:
    body = pb.FeedResponse(type=pb.live_feed, currentTs=START_MS)
    for key in (RELIANCE, STRANGER):
        body.feeds[key].ltpc.ltp = 1234.5
        body.feeds[key].ltpc.ltt = START_MS
    market = played(tmp_path, [(START_MS, body.SerializeToString())])
    at = START + timedelta(seconds=30)
    week = START.date() - timedelta(days=7), START.date()

    assert market.today(RELIANCE, at).prices.tolist() == [[1234.5] * 4]
    assert len(market.today(INFY, at)) == len(market.minute_bars(INFY, at)) > 1
    assert len(market.days(RELIANCE, *week, at)) == 5
    assert len(market.minutes(RELIANCE, *week, at)) == 5 * 375
    assert len(market.days(STRANGER, *week, at)) == len(market.minutes(STRANGER, *week, at)) == 0


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        ("live", "mixed:2026-11-20"),
        ("simulated", "simulated"),
        ("replay:2025-03-03", "mixed:2025-03-03"),
    ],
)
def test_the_source_says_what_was_recorded(tmp_path: Path, recorded: str, told: str) -> None:
    assert played(tmp_path, [(START_MS, rows({RELIANCE: 1.0}))], source=recorded).source == told


Cut = Callable[[RecordedMarket, Mode], pb.Feed | None]


@pytest.mark.parametrize("mode", list(Mode))
def test_a_row_goes_out_as_it_was_recorded(tmp_path: Path, mode: Mode) -> None:
    body = rows({CALL: 190.0}, mode)
    market = played(tmp_path, [(START_MS, body)])

    recorded = market.feed(CALL, mode)

    assert recorded is not None
    assert pb.Feed.FromString(recorded) == pb.FeedResponse.FromString(body).feeds[CALL]


@pytest.mark.parametrize("recorded", [Mode.FULL, Mode.FULL_D30, Mode.OPTION_GREEKS])
def test_a_richer_row_is_cut_down(tmp_path: Path, recorded: Mode) -> None:
    market = played(tmp_path, [(START_MS, rows({CALL: 190.0}, recorded))])

    cut = market.feed(CALL, Mode.LTPC)

    assert cut is not None
    assert pb.Feed.FromString(cut) == pb.FeedResponse.FromString(rows({CALL: 190.0}, Mode.LTPC)).feeds[CALL]


def test_thirty_levels_are_cut_down_to_five(tmp_path: Path) -> None:
    market = played(tmp_path, [(START_MS, rows({RELIANCE: 1500.0}, Mode.FULL_D30))])

    cut = market.feed(RELIANCE, Mode.FULL)

    assert cut is not None
    assert pb.Feed.FromString(cut) == pb.FeedResponse.FromString(rows({RELIANCE: 1500.0})).feeds[RELIANCE]


def test_a_poorer_row_is_filled_up_from_its_snapshot_by_others(tmp_path: Path) -> None:
    market = played(tmp_path, [(START_MS, rows({RELIANCE: 1500.0}, Mode.LTPC))])

    assert market.feed(RELIANCE, Mode.FULL) is None
    assert market.feed(INFY, Mode.LTPC) is None
    [snap] = market.snapshots([RELIANCE], START)
    assert (snap.ltp, snap.open, snap.bids, snap.volume) == (1500.0, 1500.0, (), 0)


# --- the broker ------------------------------------------------------------------------------------------------------


def test_a_recorded_session_plays_through_the_feed_and_the_quotes(tmp_path: Path) -> None:
    frames = [(START_MS + 400 * n, rows({RELIANCE: 1500.0 + n, NIFTY: 26000.0 + n})) for n in range(200)]
    path = written(tmp_path / "day.feed", frames, source="live")
    server = PaperServer(PaperOptions(folder=tmp_path / "broker", prices=f"replay:{path}x4"))
    client = Client(server.start())
    try:
        told = client.data("/v3/feed/market-data-feed/authorize")
        socket = FeedSocket(told["authorized_redirect_uri"])
        assert socket.message().type == pb.market_info
        socket.ask("sub", [RELIANCE], "full")
        known = {
            pb.FeedResponse.FromString(body).feeds[RELIANCE].SerializeToString(deterministic=True) for _, body in frames
        }

        seen = [socket.feeds(RELIANCE)[RELIANCE] for _ in range(8)]

        prices = [feed.fullFeed.marketFF.ltpc.ltp for feed in seen]
        assert prices == sorted(set(prices)), "forwards, and each once"
        assert all(feed.SerializeToString(deterministic=True) in known for feed in seen), "as they were recorded"
        quote = client.data("/v3/market-quote/ltp", params={"instrument_key": RELIANCE})["NSE_EQ:RELIANCE"]
        assert quote["last_price"] >= prices[-1]
        clock = client.get("/_paper/clock").json()
        assert (clock["mode"], clock["speed"], clock["source"]) == ("simulated", 4.0, "mixed:2026-11-20")
        assert clock["now"].startswith("2026-11-20T11:15")
        socket.close()
    finally:
        client.session.close()
        server.stop()


def test_a_recorded_session_takes_no_other_clock(tmp_path: Path) -> None:
    path = written(tmp_path / "day.feed", [(START_MS, rows({RELIANCE: 1500.0}))])
    options = PaperOptions(folder=tmp_path, prices=f"replay:{path}", clock="2026-11-20T09:15:00+05:30")

    with pytest.raises(ConfigurationError, match="own clock"):
        PaperServer(options).start()
