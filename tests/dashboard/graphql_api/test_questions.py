"""Questions to a whole desk over its paper broker, through the application that the server runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from graphql import build_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit import config

from dashboard.asgi import app as desk_app
from dashboard.graphql_api.limits import MOST_BYTES, Purses
from dashboard.locks.cookies import session_cookie
from services.acting import local_user
from services.domain.actors import Role
from services.domain.errors import NotSent
from services.domain.positions import Position
from services.domain.quote_batch import BatchResult
from services.portfolio_book.book import PortfolioBook
from services.portfolio_book.marks import PositionLines
from services.portfolio_book.views import HoldingsView, PositionsView
from services.quote_book import QuoteBook
from services.runtime import Runtime
from services.settings import load_settings
from tests.support.doors import ask, scope_of
from tests.support.graphql import question, refusals, send
from tests.support.screens import pages_over
from tests.support.shared_data import ROOT

PAGE = (ROOT / "docs" / "graphql.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)
RELIANCE, NIFTY = "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"
ELSEWHERE = {"peer": "10.1.2.3"}
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("cwd"))
        made = Runtime(load_settings(data_dir=tmp_path_factory.mktemp("desk")))
    with made:
        made.instruments.refresh_if_due()
        made.orders.start()
        made.orders.refresh()
        made.watchlists.create("First", [RELIANCE, NIFTY])
        yield made


@pytest.fixture
def app(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The desk's application, open."""
    from dashboard.resources import opening

    monkeypatch.setattr("dashboard.own_names.configured_names", lambda: ["127.0.0.1"])
    monkeypatch.setattr(Purses, "take", lambda self, name, points: 0.0)  # they are tried by themselves
    config.set_option("server.allowedHosts", ["127.0.0.1", "localhost"])
    config.set_option("server.address", "127.0.0.1")
    with pages_over(runtime):
        assert opening().wait(60)
        yield desk_app


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The keys of each call of the quote service."""
    made: list[list[str]] = []
    get = QuoteBook.get

    def counted(self: QuoteBook, keys: Any, **given: Any) -> BatchResult:
        made.append(list(keys))
        return get(self, keys, **given)

    monkeypatch.setattr(QuoteBook, "get", counted)
    return made


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_question_of_the_page_is_answered(app: Any, runtime: Runtime, example: str) -> None:
    runtime.pnl.refresh()

    status, found = question(app, example, {"keys": [RELIANCE, NIFTY]} if "$keys" in example else None)

    assert (status, refusals(found)) == (200, [])
    assert all(value is not None for value in found["data"].values())


def test_the_cost_on_the_page_is_the_cost_of_its_question(app: Any) -> None:
    told = re.search(r"`(\{ watchlists\(first: 3\).*\})` costs .* = (\d+)\.", PAGE)
    assert told is not None

    _, found = question(app, told.group(1))

    assert found["extensions"]["cost"] == int(told.group(2))


def test_the_schema_is_served_as_text_and_reads_as_one(app: Any) -> None:
    answer = ask(app, "/graphql")

    assert answer.status == 200
    schema = build_schema(answer.text)
    assert (schema.mutation_type, schema.subscription_type) == (None, None)


def test_fifty_instruments_are_one_call_of_the_quote_service(
    app: Any, runtime: Runtime, calls: list[list[str]]
) -> None:
    keys = runtime.instruments.shares_with_contracts()[:50]
    assert len(keys) == 50

    status, found = question(
        app,
        "query Q($keys: [String!]!) { a: instruments(keys: $keys) { key quote { ltp source ageSeconds } }"
        " b: instruments(keys: $keys) { quote { high } } watchlists { instruments { quote { low } } } }",
        {"keys": keys},
    )

    assert (status, refusals(found)) == (200, [])
    assert [one["key"] for one in found["data"]["a"]] == keys
    assert [sorted(asked) for asked in calls] == [sorted({*keys, RELIANCE, NIFTY})]


def test_prices_are_texts_and_exactly_what_the_service_tells(app: Any, runtime: Runtime) -> None:
    _, found = question(
        app,
        f'{{ instruments(keys: ["{RELIANCE}"]) {{ quote {{ ltp high previousClose volume source receivedAt ageSeconds'
        " depth { buy { price } } } } }",
    )

    told, row = found["data"]["instruments"][0]["quote"], runtime.quotes.last_known([RELIANCE])[RELIANCE]
    assert isinstance(told["ltp"], str)
    assert Decimal(told["high"]) == Decimal(repr(row["high"]))
    assert Decimal(told["previousClose"]) == Decimal(repr(row["prev_close"]))
    assert told["source"] == runtime.source.label
    assert datetime.fromisoformat(told["receivedAt"]).tzinfo is not None
    assert told["ageSeconds"] >= 0
    assert len(told["depth"]["buy"]) == 5


def test_one_bad_key_is_an_error_at_its_place_and_the_others_come(app: Any) -> None:
    status, found = question(
        app, f'{{ instruments(keys: ["NSE_EQ|INE000000000", "{RELIANCE}"]) {{ facts {{ symbol }} quote {{ ltp }} }} }}'
    )

    bad, good = found["data"]["instruments"]
    assert (status, bad, good["facts"]) == (200, {"facts": None, "quote": None}, {"symbol": "RELIANCE"})
    assert Decimal(good["quote"]["ltp"]) > 0
    assert sorted(refusals(found)) == [
        ("BadInstrumentKey", ["instruments", 0, "quote"]),
        ("UnknownInstrument", ["instruments", 0, "facts"]),
    ]


def test_a_broker_that_is_away_is_an_error_for_each_price(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    away = NotSent("nothing answers at 10.0.0.1")
    monkeypatch.setattr(QuoteBook, "get", lambda self, keys: BatchResult({}, dict.fromkeys(keys, away)))

    status, found = question(app, "{ desk { mode } watchlists { instruments { quote { ltp } } } }")

    assert status == 200
    assert found["data"]["desk"] == {"mode": "paper"}
    assert refusals(found) == [("NotSent", ["watchlists", 0, "instruments", place, "quote"]) for place in (0, 1)]
    assert all(one["extensions"]["retryable"] for one in found["errors"])


def test_what_was_never_told_is_an_error_and_no_empty_list(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PortfolioBook, "positions", lambda self, wait: PositionsView(error=NotSent("nobody there")))
    monkeypatch.setattr(PortfolioBook, "holdings", lambda self, wait: HoldingsView())

    _, found = question(app, "{ positions { total } holdings { total } }")

    assert found["data"] == {"positions": None, "holdings": None}
    assert refusals(found) == [("NotSent", ["positions"]), ("NotPublished", ["holdings"])]


def test_a_result_that_cannot_be_told_is_an_error_and_what_can_is_exact(
    app: Any, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_at = runtime.clock.now()
    bought = Position(RELIANCE, "I", 3, "RELIANCE", day_buy_quantity=3, day_buy_value=Decimal("4570.35"))
    marked = [
        PositionLines.of(bought).at({"ltp": ltp, "received_at": told_at, "api_version": "v3"}, told_at)
        for ltp in (1523.6, None)
    ]
    view = PositionsView(tuple(marked), told_at)
    monkeypatch.setattr(PortfolioBook, "positions", lambda self, wait: view)

    _, found = question(app, "{ positions { total rows { quantity averagePrice pnl realised mark { ltp toldBy } } } }")

    first, second = found["data"]["positions"]["rows"]
    assert first == {
        "quantity": 3, "averagePrice": "1523.45", "pnl": "0.45", "realised": "0.00",
        "mark": {"ltp": "1523.60", "toldBy": "quote"},
    }  # fmt: skip
    assert (second["pnl"], second["mark"]) == (None, None)
    assert refusals(found) == [
        ("NotPublished", ["positions", "rows", 1, "pnl"]), ("NotPublished", ["positions", "rows", 1, "mark"]),
    ]  # fmt: skip


def test_a_fault_of_the_desk_itself_is_told_without_its_insides(
    app: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: QuoteBook, keys: Any) -> BatchResult:
        raise ZeroDivisionError("token=abc")

    monkeypatch.setattr(QuoteBook, "get", broken)

    _, found = question(app, f'{{ instruments(keys: ["{RELIANCE}"]) {{ quote {{ ltp }} }} }}')

    assert refusals(found) == [("InternalError", ["instruments", 0, "quote"])]
    assert "abc" not in orjson.dumps(found).decode()
    assert "ZeroDivisionError" in caplog.text


NESTED = "quote { ltp }"
for _ in range(7):
    NESTED = f"underlying {{ {NESTED} }}"
DOUBLING = "".join(f"fragment F{n} on Instrument {{ ...F{n + 1} ...F{n + 1} }} " for n in range(15))
REFUSED = {
    "a mutation": ("mutation { cancelAll }", "NoChanges"),
    "a subscription": ("subscription { quotes }", "NoChanges"),
    "introspection": ("{ __schema { types { name } } }", "NoIntrospection"),
    "a type asked for": ('{ __type(name: "Quote") { name } }', "NoIntrospection"),
    "hidden in a fragment": ("{ ...F } fragment F on Query { __schema { types { name } } }", "NoIntrospection"),
    "too deep": (f'{{ search(text: "nifty") {{ {NESTED} }} }}', "TooDeep"),
    "far too deep": ('{ search(text: "x") ' + "{ underlying " * 100 + "{ key }" + "}" * 101, "TooDeep"),
    "braces without end": ("{ a" * 300, "InvalidQuery"),
    "too costly": ("{ watchlists(first: 100) { instruments(first: 500) { key } } }", "TooCostly"),
    "a huge count": ("{ orders(first: 2147483647) { rows { orderId } } }", "TooCostly"),
    "costly by names": (
        "{ " + " ".join(f'c{n}: candles(key: "{RELIANCE}") {{ source }}' for n in range(6)) + " }", "TooCostly",
    ),
    "doubling fragments": (
        '{ search(text: "x") { ...F0 } } ' + DOUBLING + "fragment F15 on Instrument { key }", "TooCostly",
    ),
    "a fragment in itself": ("{ search(text: \"x\") { ...A } } fragment A on Instrument { ...A }", "InvalidQuery"),
    "the same over and over": ("{ " + "desk { now } " * 100 + "}", "TooLong"),
    "many words": ("{ " + "desk { now } " * 300 + "}", "TooLong"),
    "an unknown field": ("{ orders { secrets } }", "InvalidQuery"),
    "no question": ("", "InvalidQuery"),
    "two of them": ("query A { desk { now } } query B { desk { now } }", "InvalidQuery"),
    "a missing variable": ("query Q($keys: [String!]!) { instruments(keys: $keys) { key } }", "InvalidVariables"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_may_not_be_asked_is_refused_in_words(app: Any, calls: list[list[str]], what: str) -> None:
    text, code = REFUSED[what]

    status, found = question(app, text)

    assert (status, found.get("data")) == (400, None)
    assert {one["extensions"]["code"] for one in found["errors"]} == {code}
    assert all(one["message"] for one in found["errors"])
    assert calls == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * (MOST_BYTES + 1), {}, 413),
        (b"{", {}, 400),
        (b'[{"query": "{ desk { now } }"}]', {}, 400),
        (b'{"query": 7}', {}, 400),
        (b'{"query": "{ desk { now } }", "variables": []}', {}, 400),
        (b'{"query": "{ desk { now } }"}', {"content-type": "text/plain"}, 415),
        (b"query=%7Bdesk%7Bnow%7D%7D", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b'{"query": "{ desk { now } }"}', {"origin": "https://evil.example"}, 403),
    ],
)
def test_what_is_no_question_is_refused(app: Any, body: bytes, headers: dict[str, str], status: int) -> None:
    assert send(app, body, headers=headers).status == status


def test_only_questions_are_taken(app: Any) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = ask(app, "/graphql", method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")


def test_a_viewer_reads_and_nobody_else_comes_in(app: Any, runtime: Runtime) -> None:
    if not runtime.sign_ins.any_user():
        runtime.sign_ins.add("vina", Role.VIEWER, "correct horse battery", actor=local_user())
    made = runtime.sign_ins.sign_in("vina", "correct horse battery", address="10.1.2.3", browser="a program")
    cookie = session_cookie(scope_of("/graphql"), runtime.settings)

    assert send(app, {"query": "{ desk { now } }"}, **ELSEWHERE).status == 401
    assert ask(app, "/graphql", **ELSEWHERE).status == 401
    status, found = question(
        app, "{ orders { total } funds { available } }", headers={"cookie": f"{cookie}={made.secret}"}, **ELSEWHERE
    )

    assert (status, refusals(found)) == (200, [])
    assert re.fullmatch(r"\d+\.\d\d", found["data"]["funds"]["available"])


@FUZZ
@given(
    body=st.binary(max_size=300)
    | json_values
    | st.fixed_dictionaries(
        {
            "query": st.text(max_size=80)
            | st.sampled_from([text for text, _ in REFUSED.values()])
            | st.sampled_from(EXAMPLES)
        },
        optional={"variables": json_values, "operationName": json_values},
    )
    | st.sampled_from([b"[" * 20_000, b'{"query":' * 3_000, b"\xff" * 300, b'{"query":"{"}', b"null"]),
)
def test_whatever_is_sent_gets_an_answer_in_the_same_form(app: Any, body: object) -> None:
    answer = send(app, body)

    assert answer.status < 500
    found = orjson.loads(answer.text)
    assert found.get("data") is not None or found["errors"]
