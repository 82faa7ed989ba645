"""Warming in a whole runtime over a paper broker: a chart that was looked at is there without a call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from dashboard.uses import QUOTES, chart_seen, seen
from services.domain.candles import Interval
from services.domain.clock import IST, ist_date
from services.runtime import Runtime
from services.settings import load_settings
from services.storage.use_store import UseStore

RELIANCE = "NSE_EQ|INE002A01018"


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.chdir(tmp_path)
    with Runtime(load_settings(data_dir=tmp_path / "desk", warming=True)) as made:
        yield made


def test_a_chart_that_was_open_before_is_read_before_it_is_opened_again(runtime: Runtime) -> None:
    warming = runtime.warming
    assert warming is not None
    chart_seen(runtime, RELIANCE, Interval.parse("5m"), ist_date(runtime.clock.now()))
    seen(runtime, QUOTES, [RELIANCE])
    warming.step()
    assert warming.now().fetched == 0, "somebody looks at it"
    warming._warm.clear()

    warming.step()

    done = warming.now()
    assert (done.fetched, done.failed) == (1, 0)
    assert 1 <= done.calls <= 5
    assert {(use.page, use.what) for use in UseStore(runtime.market_pool).all()} == {
        ("candles", RELIANCE), ("quotes", RELIANCE),
    }  # fmt: skip
    before = runtime.candles.calls()
    today = datetime.combine(ist_date(runtime.clock.now()), time(0), IST)
    assert runtime.candles.read(RELIANCE, "5m", today, today + timedelta(days=1)).complete
    assert runtime.candles.calls() == before


def test_without_the_setting_nothing_is_counted(tmp_path: Path) -> None:
    with Runtime(load_settings(data_dir=tmp_path / "desk")) as runtime:
        assert runtime.warming is None
        chart_seen(runtime, RELIANCE, Interval.parse("5m"), ist_date(runtime.clock.now()))
        assert not runtime.built("market_pool")
