from __future__ import annotations

from datetime import date
from decimal import Decimal

import orjson
import pytest

from services.domain.errors import InvalidRequest
from services.portfolio.lots.fills import Asset
from services.portfolio.readers.facts import Facts, as_told, facts_of, facts_of_past, multiplier_told, read_facts
from tests.support.orders import an_option
from tests.support.pnl_desk import past

OPTION = {
    "segment": "FO",
    "symbol": "NIFTY",
    "isin": "",
    "option_type": "CE",
    "strike": "26000",
    "expiry": "2026-11-24",
}


def test_master_and_history_tell_of_one_contract_alike() -> None:
    listed = an_option(expiry=date(2026, 11, 24), strike=Decimal(26_000), underlying_symbol="NIFTY")
    told = facts_of_past(past("1", "BUY", 65, "10", "2026-11-18", key="NSE_FO|56983", **OPTION))

    assert facts_of(listed).instrument == told.instrument == "NSE:NIFTY:2026-11-24:26000:CE"
    assert told.symbol == listed.symbol == "NIFTY 26000 CE 24 NOV 26"
    assert (told.asset, told.expiry, told.multiplier) == (Asset.OPTION, date(2026, 11, 24), 1)


@pytest.mark.parametrize("multiplier", [1, 100, 1000])
def test_what_a_lot_stands_for_follows_from_the_amount(multiplier: int) -> None:
    told = past("1", "BUY", 3, "5512.5", "2026-11-18", multiplier=multiplier)

    assert multiplier_told(told) == multiplier


def test_facts_are_read_back_as_they_were_written_and_others_are_left_alone() -> None:
    facts = Facts(
        "MCX:CRUDEOIL:2026-12-18:0:FUT", "CRUDEOIL", Asset.COMMODITY_FUTURE, "MCX", 100, expiry=date(2026, 12, 18)
    )

    assert read_facts(orjson.loads(orjson.dumps(as_told(facts)))) == facts
    assert read_facts({"segment": "EQ"}) is None


def test_a_contract_without_its_expiry_is_refused_in_words() -> None:
    with pytest.raises(InvalidRequest, match="expiry"):
        facts_of_past(past("1", "BUY", 65, "10", "2026-11-18", **OPTION | {"expiry": ""}))
