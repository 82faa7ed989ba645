from __future__ import annotations

from datetime import date
from decimal import Decimal

import orjson
import pytest

from services.domain.errors import MalformedPayload
from services.wire.options import iv_in_percent, parse_chain, parse_contracts, parse_greeks
from tests.support.payloads import data
from tests.support.shared_data import shared


@pytest.mark.parametrize(
    ("given", "percent"),
    [
        (0.1342, 13.42),
        (0.336, 33.6),
        (2.9, 290.0),
        (3.0, 3.0),
        (13.42, 13.42),
        (262.31, 262.31),
        (0.0, None),
        (None, None),
    ],
)
def test_volatility_of_unknown_scale_becomes_percent(given: float | None, percent: float | None) -> None:
    assert iv_in_percent(given) == percent


def test_greeks_are_keyed_by_instrument_key_and_in_percent() -> None:
    greeks = parse_greeks(data("greeks"))["NSE_FO|70001"]

    assert greeks.iv_percent == 13.42
    assert (greeks.delta, greeks.gamma, greeks.theta, greeks.vega) == (0.5311, 0.0004, -31.07, 41.2)
    assert (greeks.ltp, greeks.prev_close, greeks.volume, greeks.oi) == (612.4, 640.0, 812430, 402300.0)


def test_a_dead_strike_has_no_greeks() -> None:
    greeks = parse_greeks(data("greeks"))["NSE_FO|70002"]

    assert (greeks.iv_percent, greeks.delta, greeks.gamma, greeks.theta, greeks.vega) == (None,) * 5
    assert greeks.volume == 0


def test_the_chain_ascends_and_takes_percent_as_it_stands() -> None:
    rows = parse_chain(data("chain"))

    assert [row.strike for row in rows] == [58000.0, 58100.0]
    first = rows[0]
    assert first.call is not None
    assert first.put is not None
    assert (first.expiry, first.underlying_price, first.pcr) == ("2026-11-24", 58120.55, 1.12)
    assert (first.call.key, first.call.iv_percent, first.call.probability_of_profit) == ("NSE_FO|70001", 13.42, 47.2)


def test_a_strike_may_lack_a_side_and_a_side_its_bid() -> None:
    far = parse_chain(data("chain"))[1]

    assert far.put is None
    assert far.call is not None
    assert (far.call.bid, far.call.bid_quantity) == (None, None)
    assert (far.call.ask, far.call.ask_quantity) == (612.9, 90)


@pytest.mark.parametrize("absent", ["market_data", "option_greeks"])
def test_a_side_may_lack_a_block(absent: str) -> None:
    rows = data("chain")
    del rows[1]["call_options"][absent]

    assert parse_chain(rows)[0].call is not None


def test_an_empty_chain_is_an_answer() -> None:
    assert parse_chain([]) == []
    assert parse_contracts([]) == []


def test_a_wrong_member_of_a_chain_is_named() -> None:
    rows = data("chain")
    rows[1]["put_options"]["market_data"]["oi"] = "many"

    with pytest.raises(MalformedPayload) as caught:
        parse_chain(rows)

    assert caught.value.field == "data[1].put_options.market_data.oi"


def test_contracts_are_instruments() -> None:
    (contract,) = parse_contracts(data("contracts"))

    assert (contract.key, contract.type, contract.strike) == ("NSE_FO|70001", "CE", Decimal("58000.0"))
    assert contract.tick_size == Decimal("0.05")
    assert (contract.expiry, contract.lot_size, contract.freeze_quantity) == (date(2026, 11, 24), 30, 600)
    assert contract.weekly is False


def test_the_documented_samples_are_read() -> None:
    folder = shared("data/upstox_api_samples")

    def sample(name: str) -> object:
        return orjson.loads((folder / f"{name}.json").read_bytes())["data"]

    (row,) = parse_chain(sample("get-pc-option-chain"))
    greeks = parse_greeks(sample("option-greek"))["NSE_FO|43885"]

    assert row.call is not None
    assert row.call.iv_percent == 262.31
    assert row.put is not None
    assert row.put.gamma == 0
    assert greeks.iv_percent == pytest.approx(33.599854)
    assert len(parse_contracts(sample("get-option-contracts"))) == 2
