"""Which instrument an order is about: one, or a refusal that names the candidates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.domain.errors import InvalidRequest, UnknownInstrument
from services.domain.instruments import Instrument
from services.orders.symbols import instrument_named
from tests.support.orders import RELIANCE, a_share, an_option


class Master:
    """An instrument master of a few rows."""

    def __init__(self, *rows: Instrument) -> None:
        self.rows = rows

    def get(self, key: str) -> Instrument:
        return next(one for one in self.rows if one.key == key)

    def search(self, text: str, *, limit: int = 20) -> list[Instrument]:
        return [one for one in self.rows if text in one.symbol][:limit]


NSE = a_share()
BSE = a_share(key="BSE_EQ|INE002A01018", segment="BSE_EQ", exchange="BSE", type="A")
BLOCK = a_share(key="NSE_EQ|INE002A01099", type="BE")
BOND = a_share(key="NSE_EQ|INE002A07777", type="N1")


def test_a_bare_symbol_is_the_share_on_nse() -> None:
    assert instrument_named(" reliance ", Master(BSE, BLOCK, NSE, an_option(symbol="RELIANCE FUT"))) is NSE


def test_else_the_share_on_bse() -> None:
    assert instrument_named("RELIANCE", Master(BLOCK, BSE)) is BSE


def test_else_the_only_one_of_that_name() -> None:
    option = an_option()

    assert instrument_named(option.symbol, Master(option)) is option


def test_several_are_refused_with_the_candidates() -> None:
    with pytest.raises(InvalidRequest, match=r"INE002A01099.*INE002A07777") as caught:
        instrument_named("RELIANCE", Master(BLOCK, BOND))

    assert not isinstance(caught.value, UnknownInstrument)


def test_an_instrument_key_is_itself() -> None:
    assert instrument_named(RELIANCE, Master(NSE)) is NSE


@pytest.mark.parametrize("rows", [(), (replace(NSE, symbol="RELIANCEPP"),)])
def test_what_nothing_is_called_is_unknown(rows: tuple[Instrument, ...]) -> None:
    with pytest.raises(UnknownInstrument, match="RELIANCE"):
        instrument_named("RELIANCE", Master(*rows))


def test_an_index_cannot_be_traded() -> None:
    index = a_share(key="NSE_INDEX|Nifty 50", segment="NSE_INDEX", symbol="NIFTY", type="INDEX")

    with pytest.raises(UnknownInstrument):
        instrument_named("NIFTY", Master(index))
