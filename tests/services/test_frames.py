"""DataFrames: exact types with rows and without, exact money, where it comes from, and errors that are raised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from services.candle_fetcher_v3 import CandleFetcherV3
from services.domain.clock import ist_date
from services.domain.errors import BadInstrumentKey, InvalidRequest, MalformedPayload, NotSent, UpstoxError
from services.domain.quote_row import Depth, QuoteRow
from services.domain.quotes import DepthSide
from services.frames import (
    COUNT,
    INSTANT,
    MONEY,
    candles_frame,
    closed_trades_frame,
    holdings_frame,
    orders_frame,
    positions_frame,
    quotes_frame,
    trades_frame,
)
from services.market_quote_v3 import MarketQuoteV3
from services.order_manager_v3 import OrderManagerV3
from services.paper.options import PaperOptions
from services.paper.server import PaperServer
from services.runtime import Runtime, get_runtime, use_runtime
from services.self_check import INFOSYS, on_paper
from services.settings import Mode, Settings
from tests.support.pnl_account import fill_account

NIFTY, NOBODY = "NSE_INDEX|Nifty 50", "NSE_EQ|INE000000000"
Frame = Callable[[], pd.DataFrame]
OF_THE_ACCOUNT: tuple[Frame, ...] = (
    orders_frame, trades_frame, positions_frame, holdings_frame, closed_trades_frame,
)  # fmt: skip


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An account that has traded on days before and trades today."""
    folder: Path = tmp_path_factory.mktemp("traded")
    fill_account(folder / "paper", 6)
    with Runtime(Settings(mode=Mode.PAPER, data_dir=folder)) as runtime, use_runtime(runtime):
        orders = OrderManagerV3()
        orders.place_order("INFY", "BUY", 10, product_type="I")
        orders.place_order("INFY", "SELL", 3, product_type="I")
        yield


@pytest.mark.usefixtures("traded")
def test_candles_are_those_of_the_public_service_in_indian_time() -> None:
    frame, wanted = candles_frame(INFOSYS, "day", count=30), CandleFetcherV3().fetch_latest_candles(INFOSYS, count=30)

    assert [at.isoformat() for at in frame.index] == [bar["timestamp"] for bar in wanted]
    assert frame["high"].tolist()[:-1] == [bar["high"] for bar in wanted][:-1]  # the last one forms
    assert [str(dtype) for dtype in frame.dtypes] == ["float64"] * 4 + ["int64"] * 2
    assert frame.attrs["source"] == "simulated"
    assert frame.attrs["provisional_from"] == wanted[-1]["timestamp"]
    days = frame.index[-3].date(), frame.index[-2].date()
    assert len(candles_frame(INFOSYS, "day", start=days[0], end=days[1])) == 2


@pytest.mark.usefixtures("traded")
def test_quotes_tell_their_age_and_what_is_not_known_is_missing() -> None:
    frame = quotes_frame([NIFTY, INFOSYS])
    quote = MarketQuoteV3().get_quote(INFOSYS)

    assert frame.index.tolist() == [NIFTY, INFOSYS]
    assert frame.loc[INFOSYS, "ask"] > frame.loc[INFOSYS, "bid"]
    assert frame.loc[INFOSYS, "year_high"] == quote["year_high"]
    assert frame.loc[[NIFTY], "volume"].isna().all()
    assert (frame["volume"].dtype, frame["received_at"].dtype) == (COUNT, INSTANT)
    assert 0 <= frame["age_seconds"].min() <= frame["age_seconds"].max() < 60
    assert frame.attrs["source"] == "simulated"


@pytest.mark.usefixtures("traded")
def test_a_key_without_a_quote_raises_or_stands_among_the_problems() -> None:
    problems: dict[str, UpstoxError] = {}

    with pytest.raises(BadInstrumentKey):
        quotes_frame([INFOSYS, NOBODY])

    assert quotes_frame([INFOSYS, NOBODY], problems=problems).index.tolist() == [INFOSYS]
    assert list(problems) == [NOBODY]
    with pytest.raises(BadInstrumentKey):
        candles_frame(NOBODY)
    with pytest.raises(InvalidRequest):
        candles_frame(INFOSYS, count=3, start=ist_date(get_runtime().clock.now()))


@pytest.mark.usefixtures("traded")
def test_a_quote_whose_depth_cannot_be_read_stands_among_the_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, problems = MarketQuoteV3().get_batch_quotes([NIFTY, INFOSYS]), dict[str, UpstoxError]()
    broken = DepthSide([{"price": "much"}])
    rows[INFOSYS] = QuoteRow({**rows[INFOSYS], "depth": Depth({"buy": broken, "sell": broken})})
    monkeypatch.setattr(MarketQuoteV3, "get_batch_quotes", lambda *_, **__: rows)

    with pytest.raises(MalformedPayload):
        quotes_frame([NIFTY, INFOSYS])
    assert quotes_frame([NIFTY, INFOSYS], problems=problems).index.tolist() == [NIFTY]
    assert list(problems) == [INFOSYS]


@pytest.mark.usefixtures("traded")
def test_money_is_exact_and_adds_up_to_what_the_services_say() -> None:
    today = ist_date(get_runtime().clock.now())
    orders, fills, positions, closed = orders_frame(), trades_frame(), positions_frame(), closed_trades_frame()

    assert int(orders["filled_quantity"].sum()) == int(fills["quantity"].sum()) == 13
    value = (fills["price"] * fills["quantity"]).sum()
    assert value == sum(row["price"] * row["quantity"] for row in OrderManagerV3().get_trade_history())
    assert isinstance(value, Decimal)
    assert (positions["realised"] + positions["unrealised"] == positions["pnl"]).all()
    assert (closed["gross"] - closed["charges"] == closed["net"]).all()
    total = get_runtime().pnl.read_whole().total
    assert closed["net"].sum() == Decimal(total.net) / 100
    assert (closed["closed_on"] < pd.Timestamp(today)).any()
    of_today = closed_trades_frame(start=today)
    assert 0 < len(of_today) < len(closed)
    assert len(trades_frame(today - timedelta(days=30), today)) > len(fills)


@pytest.mark.usefixtures("traded")
def test_types_are_the_same_without_rows_and_a_parquet_file_keeps_where_it_comes_from(tmp_path: Path) -> None:
    frames = [frame() for frame in OF_THE_ACCOUNT]
    with on_paper():
        empty = [frame() for frame in OF_THE_ACCOUNT]

    for full, without in zip(frames, empty, strict=True):
        assert len(without) == 0
        assert full.dtypes.to_dict() == without.dtypes.to_dict()
        assert "object" not in {str(dtype) for dtype in full.dtypes}
        assert full.attrs["as_of"].endswith("+05:30")
        full.to_parquet(tmp_path / "frame.parquet")
        kept = pd.read_parquet(tmp_path / "frame.parquet", dtype_backend="pyarrow")
        assert kept.attrs == full.attrs
        money = [name for name, dtype in full.dtypes.items() if dtype == MONEY]
        assert money
        assert [kept[name].sum() for name in money] == [full[name].sum() for name in money]


def test_a_broker_that_is_gone_is_an_error_although_its_last_word_is_known(tmp_path: Path) -> None:
    server = PaperServer(PaperOptions(folder=tmp_path / "broker")).start()
    settings = Settings(
        mode=Mode.PAPER, data_dir=tmp_path, api_base=server.base_url, access_token=server.access_token()
    )
    with Runtime(settings) as runtime, use_runtime(runtime):
        OrderManagerV3().place_order("INFY", "BUY", 1)
        for frame in (orders_frame, positions_frame, closed_trades_frame):
            frame()
        server.stop()

        for frame in (orders_frame, positions_frame, closed_trades_frame):
            with pytest.raises(NotSent):
                frame()
