from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from services.domain.errors import BrokerError
from services.paper.accounts import AccountBook
from services.paper.tokens import DeskToken, Tokens, is_foreign
from tests.support.paper import Hands


@pytest.fixture
def book(tmp_path: Path) -> Iterator[AccountBook]:
    made = AccountBook(tmp_path)
    yield made
    made.close()


def claims_in(token: str) -> dict[str, object]:
    body = token.split(".")[1]
    return dict(orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))


@pytest.mark.parametrize("issued", ["2026-11-20T20:00:00+05:30", "2026-11-21T02:30:00+05:30"])
def test_a_token_dies_at_half_past_three_whenever_it_was_issued(book: AccountBook, issued: str) -> None:
    clock = Hands(issued)
    tokens = Tokens(book, clock)
    token, claims = tokens.issue("PAPER1")

    assert claims.expires == datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
    assert claims_in(token)["exp"] == claims.expires.timestamp()
    clock.instant = datetime.fromisoformat("2026-11-21T03:29:59.999+05:30")
    assert tokens.check(token).user_id == "PAPER1"
    clock.instant = datetime.fromisoformat("2026-11-21T03:30:00+05:30")
    with pytest.raises(BrokerError) as refused:
        tokens.check(token)
    assert (refused.value.status, refused.value.code) == (401, "UDAPI100050")


def test_a_token_has_upstox_claims_and_its_own_issuer(book: AccountBook) -> None:
    token, _ = Tokens(book, Hands("2026-11-20T11:15:00+05:30")).issue("PAPER1")

    claims = claims_in(token)
    assert claims["iss"] == "desk-paper"
    assert claims["sub"] == "PAPER1"
    assert {"jti", "isMultiClient", "isPlusPlan", "iat", "exp"} < claims.keys()


def test_a_token_outlives_a_restart_and_a_revocation_does_too(tmp_path: Path) -> None:
    clock = Hands("2026-11-20T11:15:00+05:30")
    first = AccountBook(tmp_path)
    tokens = Tokens(first, clock)
    kept, _ = tokens.issue("PAPER1")
    dead, claims = tokens.issue("PAPER1")
    tokens.revoke(claims)
    first.close()

    second = AccountBook(tmp_path)
    tokens = Tokens(second, clock)

    assert tokens.check(kept).user_id == "PAPER1"
    with pytest.raises(BrokerError):
        tokens.check(dead)
    second.close()


def test_tokens_of_another_folder_are_worth_nothing(tmp_path: Path) -> None:
    clock = Hands("2026-11-20T11:15:00+05:30")
    books = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        books.append(AccountBook(tmp_path / name))
    token, _ = Tokens(books[0], clock).issue("PAPER1")

    with pytest.raises(BrokerError):
        Tokens(books[1], clock).check(token)
    for made in books:
        made.close()


@pytest.mark.parametrize("text", ["", "nonsense", "a.b.c", "é.ü.ö", "..", "e30.e30."])
def test_nonsense_is_an_invalid_token(book: AccountBook, text: str) -> None:
    with pytest.raises(BrokerError) as refused:
        Tokens(book, Hands("2026-11-20T11:15:00+05:30")).check(text)
    assert refused.value.code == "UDAPI100050"


def test_a_token_whose_claims_were_changed_is_refused(book: AccountBook) -> None:
    tokens = Tokens(book, Hands("2026-11-20T11:15:00+05:30"))
    token, _ = tokens.issue("PAPER1")
    head, _, signature = token.split(".")
    forged = orjson.dumps({**claims_in(token), "exp": 4102444800})
    body = base64.urlsafe_b64encode(forged).rstrip(b"=").decode()

    with pytest.raises(BrokerError):
        tokens.check(f"{head}.{body}.{signature}")


def test_the_desks_token_is_renewed_when_it_has_ended_and_tells_so(book: AccountBook) -> None:
    clock = Hands("2026-11-20T11:15:00+05:30")
    tokens = Tokens(book, clock)
    desk = DeskToken(tokens, "PAPER1")
    told: list[str] = []
    desk.when_renewed(lambda: told.append("renewed"))
    first = desk.current()

    assert desk.current() == first
    clock.instant = datetime.fromisoformat("2026-11-21T03:30:00+05:30")
    second = desk.current()
    tokens.revoke(tokens.check(second))

    assert told == ["renewed", "renewed"], "a logout with it renews it at once"
    assert len({first, second, desk.current()}) == 3


def test_a_read_only_token_says_so_and_lives_for_a_year(book: AccountBook) -> None:
    clock = Hands("2026-11-20T20:00:00+05:30")
    tokens = Tokens(book, clock)

    token, claims = tokens.issue("PAPER1", read_only=True)

    assert tokens.check(token) == claims
    assert claims.read_only
    assert not tokens.check(tokens.issue("PAPER1")[0]).read_only
    clock.instant = datetime.fromisoformat("2027-11-20T19:59:59+05:30")
    assert tokens.is_alive(tokens.check(token))


def test_a_token_that_no_paper_broker_made_is_known_without_a_key(book: AccountBook) -> None:
    token, _ = Tokens(book, Hands("2026-11-20T20:00:00+05:30")).issue("PAPER1")
    real = base64.urlsafe_b64encode(b'{"iss":"udapi-gateway-service"}').rstrip(b"=").decode()

    assert not is_foreign(token)
    assert [is_foreign(text) for text in (f"e30.{real}.c2ln", "opaque", "a.b.c", "\u20ac.x.y")] == [True] * 4
