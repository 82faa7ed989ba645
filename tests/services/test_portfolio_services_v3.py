"""Conversion as the guide promises it: every way in which it can end."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from services.domain.actors import Actor
from services.domain.errors import InvalidRequest, LoginRequired, NotSent, OrderOutcomeUnknown, UnknownInstrument
from services.domain.instruments import Instrument
from services.domain.intents import IntentKind, IntentState
from services.domain.orders import Product, Side
from services.orders.views import Outcome
from services.portfolio_services_v3 import PortfolioServicesV3
from services.runtime import use_runtime

INFY = Instrument("NSE_EQ|INE009A01021", "NSE_EQ", "NSE", "INFY", "INFOSYS LIMITED", "EQ")
CALL = Instrument("NSE_FO|56983", "NSE_FO", "NSE", "NIFTY 26000 CE 23 NOV 26", "NIFTY", "CE")


class Master:
    def get(self, key):
        found = {one.key: one for one in (INFY, CALL)}.get(key)
        if found is None:
            raise UnknownInstrument(key)
        return found

    def search(self, text, *, limit=20):
        return [one for one in (INFY, CALL) if one.symbol == text]


class Desk:
    """A runtime whose order desk answers as a test wants."""

    def __init__(self):
        self.instruments, self.calls, self.answer = Master(), [], IntentState.ACCEPTED
        self.orders = SimpleNamespace(convert=self.convert)

    def convert(self, key, side, quantity, old, new, *, intent_id, actor):
        self.calls.append((key, side, quantity, old, new, intent_id, actor))
        if isinstance(self.answer, Exception):
            raise self.answer
        return Outcome(self.answer, intent_id, IntentKind.CONVERT, tag="t1", reason="because")


@pytest.fixture
def desk():
    made = Desk()
    with use_runtime(made):
        yield made


def test_the_guides_call_turns_intraday_into_delivery(desk):
    done = PortfolioServicesV3().convert_position(symbol="INFY", quantity=10, from_product="MIS", to_product="CNC")

    assert done is True
    [(key, side, quantity, old, new, intent_id, actor)] = desk.calls
    assert (key, side, quantity, old, new) == (INFY.key, Side.BUY, 10, Product.INTRADAY, Product.DELIVERY)
    assert intent_id.startswith("convert-")
    assert actor.name


@pytest.mark.parametrize(("old", "new"), [("NRML", "MIS"), ("D", "I"), ("cnc", "mis")])
def test_products_are_understood_in_every_desks_words(desk, old, new):
    PortfolioServicesV3().convert_position(CALL.key, 65, old, new, "SELL")

    assert desk.calls[0][:5] == (CALL.key, Side.SELL, 65, Product.DELIVERY, Product.INTRADAY)


def test_each_call_is_a_decision_of_its_own_unless_it_is_said_to_be_the_same(desk):
    service, me = PortfolioServicesV3(), Actor("notebook")
    for _ in range(2):
        service.convert_position("INFY", 1, "I", "D")
    for _ in range(2):
        service.convert_position("INFY", 1, "I", "D", intent_id="mine", actor=me)

    ids = [call[5] for call in desk.calls]
    assert len(set(ids[:2])) == 2
    assert ids[2:] == ["mine", "mine"]
    assert desk.calls[2][6] == me


def test_false_is_a_refusal_of_the_broker_and_nothing_else(desk):
    desk.answer = IntentState.REFUSED
    assert PortfolioServicesV3().convert_position("INFY", 1, "I", "D") is False


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (IntentState.UNKNOWN, OrderOutcomeUnknown),
        (IntentState.PREPARED, OrderOutcomeUnknown),
        (IntentState.NOT_SENT, NotSent),
        (IntentState.ABSENT, NotSent),
        (LoginRequired("log in"), LoginRequired),
        (InvalidRequest("the desk is reconciling"), InvalidRequest),
    ],
)
def test_whatever_else_came_of_it_raises(desk, answer, error):
    desk.answer = answer
    with pytest.raises(error):
        PortfolioServicesV3().convert_position("INFY", 1, "I", "D")


def test_an_unknown_end_names_the_decision(desk):
    desk.answer = IntentState.UNKNOWN
    with pytest.raises(OrderOutcomeUnknown) as caught:
        PortfolioServicesV3().convert_position("INFY", 1, "I", "D", intent_id="mine")

    assert (caught.value.intent_id, caught.value.tag, str(caught.value)) == ("mine", "t1", "because")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("INFY", 1, "MIS", "I"), "nothing to convert"),
        (("INFY", 1, "XYZ", "D"), "product"),
        (("INFY", 1, "I", "D", "HOLD"), "BUY or SELL"),
        (("NOSUCH", 1, "I", "D"), "NOSUCH"),
        (("NSE_EQ|INE000000000", 1, "I", "D"), "INE000000000"),
    ],
)
def test_nonsense_is_refused_in_words_and_never_sent(desk, given, words):
    with pytest.raises(InvalidRequest, match=words):
        PortfolioServicesV3().convert_position(*given)
    assert desk.calls == []
