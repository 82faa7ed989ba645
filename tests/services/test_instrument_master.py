"""The instrument master: files in, look-ups and searches out."""

from __future__ import annotations

import errno
import gzip
import io
import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.domain.errors import NoAnswer, StorageError, UnknownInstrument, UpstoxError
from services.instrument_master import InstrumentMaster
from services.storage.pool import Pool
from services.storage.schema import migrate_market
from tests.support.clocks import FakeClock
from tests.support.instruments import Row, contract, index, long_file, on_disk, share
from tests.support.memory import PEAKS_ARE_TOLD, highest_mib
from tests.support.shared_data import shared

NOW = datetime(2026, 11, 20, 5, 45, tzinfo=UTC)
NIFTY_KEY = "NSE_INDEX|Nifty 50"
RELIANCE_KEY = "NSE_EQ|INE002A01018"
NOVEMBER, WEEKLY, DECEMBER = date(2026, 11, 24), date(2026, 12, 1), date(2026, 12, 29)

SMALL: list[Row] = [
    share("RELIANCE", "INE002A01018", "RELIANCE INDUSTRIES LTD", short_name="Reliance Industries"),
    share("RPOWER", "INE614G01033", "RELIANCE POWER LTD."),
    share("RELIANCE", "INE002A01018", "RELIANCE INDUSTRIES LTD.", exchange="BSE"),
    share("M&M", "INE101A01026", "MAHINDRA & MAHINDRA LTD"),
    share("M&MFIN", "INE774D01024", "M&M FIN. SERVICES LTD"),
    share("MMTC", "INE123F01029", "MMTC LIMITED"),
    share("BAJAJ-AUTO", "INE917I01010", "BAJAJ AUTO LIMITED"),
    share("BAJAJHLDNG", "INE118A01012", "BAJAJ HOLDINGS & INVS LTD"),
    share("TCS", "INE467B01029", "TATA CONSULTANCY SERV LT"),
    share("TCS", "INE467B08888", "TCS BOND", kind="N1"),
    index("NIFTY", "Nifty 50"),
    index("NIFTY IT", "Nifty IT"),
    index("BANKNIFTY", "Nifty Bank"),
    *[contract(n, "NIFTY", NIFTY_KEY, day) for n, day in enumerate((NOVEMBER, DECEMBER), 100)],
    *[contract(n, "BANKNIFTY", "NSE_INDEX|Nifty Bank", day) for n, day in enumerate((NOVEMBER, DECEMBER), 110)],
    *[contract(n, "RELIANCE", RELIANCE_KEY, day) for n, day in enumerate((NOVEMBER, DECEMBER), 120)],
    *[
        contract(1000 + n, "NIFTY", NIFTY_KEY, day, kind=kind, strike=strike)
        for n, (day, kind, strike) in enumerate(
            (day, kind, 24_000.0 + 500 * step)
            for day in (NOVEMBER, WEEKLY, DECEMBER)
            for kind in ("CE", "PE")
            for step in range(5)
        )
    ],
]


class FakeFiles:
    """The broker's files; `etag` is their version. Counts what is asked."""

    def __init__(self, **files: list[Row]) -> None:
        self.files: dict[str, bytes] = {name: orjson.dumps(rows) for name, rows in files.items()}
        self.etags: dict[str, str] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.failure: UpstoxError | None = None

    @contextmanager
    def __call__(self, name: str, *, etag: str | None = None) -> Iterator[Any]:
        self.asked.append((name, etag))
        if self.failure is not None:
            raise self.failure
        current = self.etags.get(name)
        if etag is not None and etag == current:
            yield None
            return
        reader = gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(self.files[name])))
        reader.etag = current  # type: ignore[attr-defined]
        yield reader


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    path = tmp_path / "market_data.db"
    migrate_market(path, backups=tmp_path, now=NOW)
    made = Pool(path)
    yield made
    made.close_all()


@pytest.fixture
def files() -> FakeFiles:
    return FakeFiles(NSE=SMALL)


@pytest.fixture
def master(pool: Pool, files: FakeFiles, clock: FakeClock) -> InstrumentMaster:
    return InstrumentMaster(pool=pool, download=files, clock=clock, files=("NSE",))


def of_file(path: Path, pool: Pool, clock: FakeClock) -> InstrumentMaster:
    """A master that has loaded the unpacked file at `path`."""
    master = InstrumentMaster(pool=pool, download=on_disk(path), clock=clock, files=("NSE",))
    master.refresh_if_due()
    return master


def symbols(master: InstrumentMaster, text: str, limit: int = 20) -> list[str]:
    return [f"{found.exchange} {found.symbol}" for found in master.search(text, limit=limit)]


# -- search --------------------------------------------------------------------------------------------------------


def test_a_share_comes_first_then_its_twin_its_futures_and_those_called_alike(master: InstrumentMaster) -> None:
    assert symbols(master, "reliance") == [
        "NSE RELIANCE",
        "BSE RELIANCE",
        "NSE RELIANCE FUT 24 NOV 26",
        "NSE RELIANCE FUT 29 DEC 26",
        "NSE RPOWER",
    ]


@pytest.mark.parametrize("text", ["M&M", "m&m", "mm", "m & m"])
def test_a_symbol_with_an_ampersand_comes_before_those_that_begin_like_it(master: InstrumentMaster, text: str) -> None:
    assert symbols(master, text)[0] == "NSE M&M"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("nifty", "NSE NIFTY"),
        ("nifty 50", "NSE NIFTY"),
        ("bajaj auto", "NSE BAJAJ-AUTO"),
        ("BAJAJ-AUTO", "NSE BAJAJ-AUTO"),
        ("tcs", "NSE TCS"),
        ("INE002A01018", "NSE RELIANCE"),
        ("tata cons", "NSE TCS"),
        ("banknifty fut", "NSE BANKNIFTY FUT 24 NOV 26"),
        ("nifty bank fut", "NSE BANKNIFTY FUT 24 NOV 26"),
        ("nifty 25000 ce nov", "NSE NIFTY 25000 CE 24 NOV 26"),
        ("nifty 25000 ce dec", "NSE NIFTY 25000 CE 01 DEC 26"),
        ("NIFTY 25000 PE 29 DEC 26", "NSE NIFTY 25000 PE 29 DEC 26"),
        ("nifty26dec25000ce", "NSE NIFTY 25000 CE 01 DEC 26"),
        ("nifty 25000", "NSE NIFTY 25000 CE 24 NOV 26"),
        ("reliance dec fut", "NSE RELIANCE FUT 29 DEC 26"),
    ],
)
def test_what_a_trader_means_comes_first(master: InstrumentMaster, text: str, first: str) -> None:
    assert symbols(master, text)[0] == first


def test_a_strike_is_found_while_it_is_being_typed(master: InstrumentMaster) -> None:
    found = symbols(master, "nifty 255 ce")

    assert found[0] == "NSE NIFTY 25500 CE 24 NOV 26"
    assert all("25500 CE" in symbol for symbol in found)


def test_a_bond_of_the_same_symbol_comes_after_the_share(master: InstrumentMaster) -> None:
    assert [found.name for found in master.search("tcs")] == ["TATA CONSULTANCY SERV LT", "TCS BOND"]


def test_options_of_an_index_come_from_the_middle_of_the_chain(master: InstrumentMaster) -> None:
    found = symbols(master, "nifty", limit=7)

    assert found[:3] == ["NSE NIFTY", "NSE NIFTY FUT 24 NOV 26", "NSE NIFTY FUT 29 DEC 26"]
    assert found[3:5] == ["NSE NIFTY 25000 CE 24 NOV 26", "NSE NIFTY 25000 PE 24 NOV 26"]


def test_expired_contracts_sink_and_are_not_offered_below_their_underlying(
    master: InstrumentMaster, clock: FakeClock
) -> None:
    clock.move(days=5)  # 25 November: the contracts of the 24th are over

    assert symbols(master, "banknifty fut") == ["NSE BANKNIFTY FUT 29 DEC 26", "NSE BANKNIFTY FUT 24 NOV 26"]
    assert "NSE RELIANCE FUT 24 NOV 26" not in symbols(master, "reliance")
    assert symbols(master, "nifty 25000 ce")[0] == "NSE NIFTY 25000 CE 01 DEC 26"


def test_a_contract_is_not_over_on_the_day_of_its_expiry(master: InstrumentMaster, clock: FakeClock) -> None:
    clock.instant = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    assert symbols(master, "banknifty fut")[0] == "NSE BANKNIFTY FUT 24 NOV 26"


def test_a_key_finds_itself(master: InstrumentMaster) -> None:
    assert [found.key for found in master.search(NIFTY_KEY)] == [NIFTY_KEY]


@pytest.mark.parametrize("text", ["", "   ", "&", "zzzz", '"', "nifty 99999 ce", "*", "a OR b", "NEAR("])
def test_what_nothing_is_called_finds_nothing(master: InstrumentMaster, text: str) -> None:
    assert master.search(text) == []


def test_no_more_is_given_than_asked_for(master: InstrumentMaster) -> None:
    assert len(master.search("nifty", limit=3)) == 3


# -- look-up -------------------------------------------------------------------------------------------------------


def test_an_instrument_has_the_facts_of_its_row(master: InstrumentMaster) -> None:
    option = master.get("NSE_FO|1002")

    assert (option.symbol, option.type, option.strike) == ("NIFTY 25000 CE 24 NOV 26", "CE", 25000)
    assert (option.expiry, option.lot_size, option.freeze_quantity) == (NOVEMBER, 65, 1755)
    assert str(option.tick_size) == "0.05"
    assert (option.underlying_key, option.weekly) == (NIFTY_KEY, False)


def test_an_unknown_key_is_none_to_find_and_an_error_to_get(master: InstrumentMaster) -> None:
    assert master.find("NSE_EQ|INE000000000") is None
    with pytest.raises(UnknownInstrument):
        master.get("NSE_EQ|INE000000000")


def test_many_come_in_the_order_asked_without_the_unknown(master: InstrumentMaster) -> None:
    found = master.many([NIFTY_KEY, "NSE_EQ|INE000000000", RELIANCE_KEY, NIFTY_KEY])

    assert list(found) == [NIFTY_KEY, RELIANCE_KEY]


# -- keeping it current --------------------------------------------------------------------------------------------


def test_the_first_question_loads_an_empty_master(master: InstrumentMaster, files: FakeFiles) -> None:
    assert files.asked == []

    master.get(RELIANCE_KEY)
    master.search("tcs")

    assert files.asked == [("NSE", None)]


def test_a_file_is_fetched_once_a_day_after_six(master: InstrumentMaster, files: FakeFiles, clock: FakeClock) -> None:
    for instant, calls in [
        (datetime(2026, 11, 20, 5, 45, tzinfo=UTC), 1),  # 11:15 IST
        (datetime(2026, 11, 20, 18, 0, tzinfo=UTC), 1),  # 23:30 IST
        (datetime(2026, 11, 21, 0, 29, tzinfo=UTC), 1),  # 05:59 IST
        (datetime(2026, 11, 21, 0, 30, tzinfo=UTC), 2),  # 06:00 IST
        (datetime(2026, 11, 21, 12, 0, tzinfo=UTC), 2),
    ]:
        clock.instant = instant
        master.refresh_if_due()
        assert len(files.asked) == calls, instant


def test_another_process_on_the_same_file_does_not_fetch_again(
    master: InstrumentMaster, pool: Pool, files: FakeFiles, clock: FakeClock
) -> None:
    master.refresh_if_due()

    InstrumentMaster(pool=pool, download=files, clock=clock, files=("NSE",)).refresh_if_due()

    assert len(files.asked) == 1


def test_an_unchanged_file_is_not_loaded_again(master: InstrumentMaster, files: FakeFiles, clock: FakeClock) -> None:
    files.etags["NSE"] = '"one"'
    master.refresh_if_due()
    clock.move(days=1)

    master.refresh_if_due()

    assert files.asked == [("NSE", None), ("NSE", '"one"')]
    (state,) = master.state().files
    assert (state.loaded_at, state.checked_at, state.rows) == (NOW, clock.now(), len(SMALL))


def test_the_old_copy_serves_on_when_the_download_fails(
    master: InstrumentMaster, files: FakeFiles, clock: FakeClock
) -> None:
    master.refresh_if_due()
    clock.move(days=1)
    files.failure = NoAnswer("the file host is silent")

    master.refresh_if_due()

    assert master.get(RELIANCE_KEY).symbol == "RELIANCE"
    assert master.state().problems == ("NSE: the file host is silent",)
    files.failure = None
    clock.move(minutes=6)
    master.refresh_if_due()
    assert master.state().problems == ()


def test_a_failed_download_is_not_tried_at_every_call(
    master: InstrumentMaster, files: FakeFiles, clock: FakeClock
) -> None:
    files.failure = NoAnswer("silence")
    for _ in range(5):
        master.refresh_if_due()
        clock.move(seconds=30)

    assert len(files.asked) == 1


@pytest.mark.parametrize(
    "body", [b"", b"[", b"<html>", b'{"a": 1}', b"[]", orjson.dumps(SMALL)[:5000], b"[1, 2, 3]", b"[{}]"]
)
def test_a_file_that_is_broken_changes_nothing(
    master: InstrumentMaster, files: FakeFiles, clock: FakeClock, body: bytes
) -> None:
    master.refresh_if_due()
    clock.move(days=1)
    files.files["NSE"] = body

    master.refresh_if_due()

    (state,) = master.state().files
    assert state.rows == len(SMALL)
    assert state.error is not None
    assert symbols(master, "reliance")[0] == "NSE RELIANCE"


def test_a_full_disk_is_a_problem_in_words_and_the_next_attempt_succeeds(
    master: InstrumentMaster, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    master.refresh_if_due()
    clock.move(days=1)
    with monkeypatch.context() as full:
        full.setattr("services.storage.instrument_store.tempfile.TemporaryFile", _no_space)
        master.refresh_if_due()

    assert master.state().problems == ("NSE: the instrument file NSE could not be stored: No space left on device",)
    assert symbols(master, "reliance")[0] == "NSE RELIANCE", "the old copy serves on"
    clock.move(minutes=6)
    master.refresh_if_due()
    assert master.state().problems == ()


def test_a_disk_that_does_not_even_take_the_reason_ends_nothing(
    master: InstrumentMaster, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StorageError("market_data.db: the disk is full")

    master.refresh_if_due()
    clock.move(days=1)
    with monkeypatch.context() as full:
        full.setattr("services.storage.instrument_store.tempfile.TemporaryFile", _no_space)
        full.setattr("services.storage.instrument_store.InstrumentStore.failed", refuse)
        master.refresh_if_due()

    assert master.state().problems == ("NSE: the instrument file NSE could not be stored: No space left on device",)
    clock.move(minutes=6)
    master.refresh_if_due()
    assert master.state().problems == ()


def test_a_database_that_refuses_the_rows_is_a_problem_in_words(
    master: InstrumentMaster, pool: Pool, clock: FakeClock
) -> None:
    master.refresh_if_due()
    clock.move(days=1)
    with pool.get_connection() as connection:
        connection.execute("CREATE TRIGGER refuse BEFORE INSERT ON instruments BEGIN SELECT RAISE(ABORT, 'no'); END")

    master.refresh_if_due()

    assert master.state().problems == ("NSE: the instrument file NSE could not be stored: no",)
    assert symbols(master, "reliance")[0] == "NSE RELIANCE"


def _no_space(**_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_without_any_copy_a_failure_is_raised_not_an_empty_answer(master: InstrumentMaster, files: FakeFiles) -> None:
    files.failure = NoAnswer("silence")

    for ask in (lambda: master.find(RELIANCE_KEY), lambda: master.search("reliance"), lambda: master.many([])):
        with pytest.raises(NoAnswer, match="silence"):
            ask()


def test_rows_that_are_gone_from_the_file_are_gone_from_the_master(
    master: InstrumentMaster, files: FakeFiles, clock: FakeClock
) -> None:
    master.refresh_if_due()
    clock.move(days=1)
    files.files["NSE"] = orjson.dumps([row for row in SMALL if row["trading_symbol"] != "TCS"])

    master.refresh_if_due()

    assert master.search("tcs") == []
    assert master.find("NSE_EQ|INE467B01029") is None


def test_a_malformed_row_is_counted_and_named_and_loses_no_other(
    master: InstrumentMaster, files: FakeFiles, caplog: pytest.LogCaptureFixture
) -> None:
    bad = {**share("BROKEN", "INE999A01018", "BROKEN LTD"), "tick_size": "five"}
    files.files["NSE"] = orjson.dumps([*SMALL[:3], bad, 7, {"segment": "NSE_EQ"}, *SMALL[3:]])

    with caplog.at_level(logging.INFO):
        master.refresh_if_due()

    (state,) = master.state().files
    assert (state.rows, state.malformed) == (len(SMALL), 3)
    assert "INE999A01018" in state.malformed_rows[0]
    assert "tick_size" in state.malformed_rows[0]
    assert state.error is None
    assert "3 malformed" in caplog.text


def test_readers_see_the_old_file_or_the_new_one_never_a_part(
    master: InstrumentMaster, pool: Pool, files: FakeFiles, clock: FakeClock
) -> None:
    old = [share(f"S{n}", f"INE{n:06d}018", "OLD LTD") for n in range(3000)]
    new = [share(f"S{n}", f"INE{n:06d}018", "NEW LTD") for n in range(3000)]
    files.files["NSE"] = orjson.dumps(old)
    master.refresh_if_due()
    clock.move(days=1)
    files.files["NSE"] = orjson.dumps(new)
    done, seen = threading.Event(), set()

    def look() -> None:
        while not done.is_set():
            with pool.get_connection(write=False) as connection:
                seen.add(tuple(connection.execute("SELECT COUNT(*), MIN(name), MAX(name) FROM instruments").fetchone()))

    reader = threading.Thread(target=look)
    reader.start()
    master.refresh_if_due()
    done.set()
    reader.join()

    assert seen <= {(3000, "OLD LTD", "OLD LTD"), (3000, "NEW LTD", "NEW LTD")}
    assert master.get("NSE_EQ|INE000000018").name == "NEW LTD"


def test_two_threads_that_find_it_empty_load_it_once(master: InstrumentMaster, files: FakeFiles) -> None:
    barrier = threading.Barrier(4)

    def ask() -> None:
        barrier.wait()
        assert master.find(RELIANCE_KEY) is not None

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(files.asked) == 1


def test_a_clock_that_was_set_back_makes_the_file_due(
    master: InstrumentMaster, files: FakeFiles, clock: FakeClock
) -> None:
    master.refresh_if_due()
    clock.move(days=-30)

    master.refresh_if_due()

    assert len(files.asked) == 2


# -- real and long files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["upstox_nse_20260821_trimmed.json", "upstox_bse_mcx_20251218_trimmed.json"])
def test_a_real_master_is_imported_without_losing_a_row(pool: Pool, clock: FakeClock, name: str) -> None:
    path = shared(f"data/instruments/{name}")
    rows = json.loads(path.read_text(encoding="utf-8"))

    master = of_file(path, pool, clock)
    assert master.state().rows == len(rows)

    with pool.get_connection(write=False) as connection:
        stored = {
            row[0]: row[1] for row in connection.execute("SELECT instrument_key, trading_symbol FROM instruments")
        }
    assert stored == {row["instrument_key"]: row["trading_symbol"] for row in rows}
    assert master.state().files[0].malformed == 0


@pytest.mark.parametrize(
    ("text", "key_or_symbol"),
    [
        ("M&M", "NSE_EQ|INE101A01026"),
        ("BAJAJ-AUTO", "NSE_EQ|INE917I01010"),
        ("bajaj auto", "NSE_EQ|INE917I01010"),
        ("reliance", "NSE_EQ|INE002A01018"),
        ("nifty", "NSE_INDEX|Nifty 50"),
        ("nifty 50", "NSE_INDEX|Nifty 50"),
        ("bharatbond-apr30", "NSE_INDEX|BHARATBOND-APR30"),
        ("INE002A01018", "NSE_EQ|INE002A01018"),
        ("BAJAJ-AUTO 10900 PE 25 AUG 26", "BAJAJ-AUTO 10900 PE 25 AUG 26"),
        ("nifty 24150 ce", "NIFTY 24150 CE 25 AUG 26"),
    ],
)
def test_real_symbols_are_found(pool: Pool, clock: FakeClock, text: str, key_or_symbol: str) -> None:
    clock.instant = datetime(2026, 8, 21, 6, 0, tzinfo=UTC)
    master = of_file(shared("data/instruments/upstox_nse_20260821_trimmed.json"), pool, clock)

    first = master.search(text)[0]

    assert key_or_symbol in {first.key, first.symbol}


def test_a_real_option_is_found_by_its_whole_symbol_after_it_has_expired(pool: Pool, clock: FakeClock) -> None:
    master = of_file(shared("data/instruments/upstox_nse_20260821_trimmed.json"), pool, clock)

    assert symbols(master, "BAJAJ-AUTO 10900 PE 25 AUG 26") == ["NSE BAJAJ-AUTO 10900 PE 25 AUG 26"]


@pytest.mark.skipif(not PEAKS_ARE_TOLD, reason="only Linux tells how much memory a piece of work took")
def test_a_file_as_long_as_the_complete_one_needs_little_memory(pool: Pool, clock: FakeClock, tmp_path: Path) -> None:
    path = tmp_path / "complete.json"
    written = long_file(path, rows=120_000)
    assert path.stat().st_size > 50_000_000

    master, grown_mib = highest_mib(lambda: of_file(path, pool, clock))

    assert master.state().rows == written
    assert grown_mib < 150
    assert symbols(master, "nifty 25000 ce nov") == ["NSE NIFTY 25000 CE 24 NOV 26"]
    assert symbols(master, "reliance")[0] == "NSE RELIANCE"


# -- groups ----------------------------------------------------------------------------------------------------------


def test_underlyings_with_options_are_those_whose_contracts_live(master: InstrumentMaster, clock: FakeClock) -> None:
    assert [(one.symbol, one.segment, one.key) for one in master.with_options()] == [("NIFTY", "NSE_FO", NIFTY_KEY)]
    assert master.with_options()[0].is_index

    clock.move(days=60)
    assert master.with_options() == []


def test_expiries_and_contracts_of_options_are_those_of_the_file(master: InstrumentMaster) -> None:
    nifty = master.with_options()[0]
    weekly = master.options(nifty, WEEKLY)

    assert master.option_expiries(nifty) == [NOVEMBER, WEEKLY, DECEMBER]
    assert [one.strike for one in weekly[::2]] == [24_000, 24_500, 25_000, 25_500, 26_000]
    assert [one.type for one in weekly[:4]] == ["CE", "PE", "CE", "PE"]
    assert master.options(nifty, date(2027, 1, 1)) == []


def test_shares_that_derivatives_are_written_on_and_indices_are_groups(master: InstrumentMaster) -> None:
    assert master.shares_with_contracts("NSE_EQ") == [RELIANCE_KEY]
    assert master.indices("NSE_INDEX") == ["NSE_INDEX|Nifty Bank", NIFTY_KEY, "NSE_INDEX|Nifty IT"]
