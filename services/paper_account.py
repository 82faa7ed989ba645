"""The account of the paper broker: how it stands, what it was before, and its reset.

Not part of Upstox's API, so it goes by its own way and never through the route table: no rate limit, no second route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from services.domain.actors import Actor, require_operator
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.paper_accounts import ArchivedBook, PaperAccount
from services.ledger.audit import Audit
from services.transport.http import HttpClient
from services.wire.envelope import unwrap
from services.wire.paper_account import parse_account, parse_archive

ACCOUNT, RESET, ARCHIVE = "/_paper/account", "/_paper/reset", "/_paper/archive"
SECONDS = 5.0
"""For one answer. The broker runs on this machine."""
SECONDS_OF_A_DAY = 2.0
"""More for each day that a new account has already traded on; a slow machine needs half of it."""
LARGEST_OPENING = Decimal(1_000_000_000)
MOST_PAST_DAYS = 250

T = TypeVar("T")


class PaperAccounts:
    """The running account and those that were put away. Any thread."""

    def __init__(
        self,
        *,
        http: Callable[[], HttpClient],
        base: Callable[[], str],
        token: Callable[[bool], str],
        audit: Audit,
        began: Callable[[], object],
    ) -> None:
        """`token(writes)` is the bearer token; `began()` is called when another account has taken the place of one,
        and has the rest of the desk go over to it."""
        self._http = http
        self._base = base
        self._token = token
        self._audit = audit
        self._began = began

    def look(self) -> PaperAccount:
        """The account as it stands now. Raises what the broker raises."""
        return self._ask("GET", ACCOUNT, parse_account)

    def archive(self, number: int) -> ArchivedBook:
        """The last day's orders and fills of an account that was put away."""
        return self._ask("GET", ARCHIVE, parse_archive, params={"number": str(number)})

    def reset(self, confirm: str, opening: Decimal | None = None, *, past_days: int = 0, actor: Actor) -> PaperAccount:
        """Put the account away and begin another one with `opening` rupees (else ten lakh), which has traded on
        `past_days` trading days before today (simulated prices only; takes some seconds).

        `confirm` is the account's user id, typed by a person who has read what happens. Every open order is cancelled;
        positions and holdings are gone; nothing of the ledger is. Sent once: where no answer comes, the broker is asked
        which account runs.
        """
        require_operator(actor, "put an account away")
        before = self.look()
        if confirm.strip() != before.user_id:
            raise InvalidRequest(f"type {before.user_id} to confirm: every order, position and holding is put away")
        if opening is not None and not 0 < opening <= LARGEST_OPENING:
            raise InvalidRequest(f"a new account begins with more than nothing and at most Rs {LARGEST_OPENING:,}")
        if not 0 <= past_days <= MOST_PAST_DAYS:
            raise InvalidRequest(f"a new account has traded on at most {MOST_PAST_DAYS} days before")
        body: dict[str, object] = {"confirm": before.user_id}
        if past_days:
            body["past_days"] = past_days
        if opening is not None:
            body["opening"] = float(opening)
        try:
            seconds = SECONDS + past_days * SECONDS_OF_A_DAY
            now = self._ask("POST", RESET, parse_account, json=body, writes=True, seconds=seconds)
        except UpstoxError as error:
            if not error.outcome_unknown:
                raise
            now = self.look()
            if now.mark.number == before.mark.number:
                raise
        self._audit.add(
            actor,
            "paper account reset",
            f"account {before.mark.number}",
            {"balance": before.balance, "orders_today": before.orders_today, "trades_today": before.trades_today},
            {"number": now.mark.number, "opening": now.opening},
        )
        self._began()
        return now

    def _ask(
        self,
        method: str,
        path: str,
        parse: Callable[[object], T],
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        writes: bool = False,
        seconds: float = SECONDS,
    ) -> T:
        headers = {"Authorization": f"Bearer {self._token(writes)}", "Accept": "application/json"}
        url = f"{self._base()}{path}"
        answer = self._http().send(method, url, params=params, json=json, headers=headers, seconds=seconds, slow=True)
        envelope = unwrap(answer.status, answer.body, endpoint=path, request_id=None, content_type=answer.content_type)
        return parse(envelope.data)
