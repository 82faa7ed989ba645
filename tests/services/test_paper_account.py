"""The paper account through the runtime: how it stands, its reset, and what the rest of the desk makes of that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from services.domain.actors import Actor, Role
from services.domain.errors import Forbidden, InvalidRequest, LoginRequired, NoAnswer
from services.domain.intents import IntentState
from services.domain.orders import OrderRequest, OrderType, Product, Side, Status
from services.paper_account import RESET, PaperAccounts
from services.runtime import Runtime
from services.settings import load_settings
from services.transport.http import HttpClient

ASHA = Actor("asha", Role.OPERATOR, "tab-1")
RELIANCE = "NSE_EQ|INE002A01018"


@pytest.fixture
def rt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.chdir(tmp_path)  # a `.env` of whoever runs the tests stays out
    with Runtime(load_settings(data_dir=tmp_path / "desk")) as made:
        made.instruments.refresh_if_due()
        yield made


def account(rt: Runtime) -> PaperAccounts:
    assert rt.paper_account is not None
    return rt.paper_account


def place(rt: Runtime, intent_id: str, price: str | None = None) -> str:
    request = OrderRequest(
        key=RELIANCE,
        side=Side.BUY,
        quantity=1,
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        product=Product.DELIVERY,
        price=None if price is None else Decimal(price),
    )
    [order_id] = rt.orders.place(request, intent_id=intent_id, actor=ASHA).order_ids
    rt.orders.refresh()
    return order_id


def last_price(rt: Runtime) -> Decimal:
    return Decimal(str(rt.quotes.get([RELIANCE]).quotes[RELIANCE]["ltp"]))


def until(true: Callable[[], bool]) -> None:
    """Wait until it is so; a machine may be slow."""
    waiting = threading.Event()
    for _ in range(600):
        if true():
            return
        waiting.wait(0.05)
    raise AssertionError("it never came to that")


def test_a_reset_begins_a_new_account_and_loses_no_record(rt: Runtime) -> None:
    filled = place(rt, "one")
    waiting = place(rt, "two", str((last_price(rt) * Decimal("0.97")).quantize(Decimal(1))))
    until(lambda: bool(rt.portfolio.positions(wait=1).rows))

    now = account(rt).reset("PAPER1", Decimal(250_000), actor=ASHA)

    assert (now.mark.number, now.opening, now.available) == (2, 250_000, 250_000)
    [old] = now.archives
    assert (old.number, old.orders, old.trades) == (1, 2, 1)
    assert rt.orders.book().orders == ()
    assert rt.orders.trades().trades == ()
    assert rt.orders.open_intents() == ()
    kept = [rt.order_records.get(one) for one in (filled, waiting)]
    assert [order is not None and order.status for order in kept] == [Status.COMPLETE, Status.CANCELLED]
    assert [one.order_id for one in rt.trade_records.of_order(filled)] == [filled]
    assert [rt.intents.get(one).state for one in ("one", "two")] == [IntentState.ACCEPTED] * 2  # type: ignore[union-attr]
    until(lambda: rt.portfolio.positions(wait=1).rows == () and rt.portfolio.positions().error is None)
    until(lambda: (view := rt.portfolio.funds(wait=1)).funds is not None and view.funds.available == 250_000)
    assert [entry.what for entry in rt.audit.about("account 1")] == ["paper account reset"]

    fresh = place(rt, "three")

    assert [order.order_id for order in rt.orders.book().orders] == [fresh]
    assert account(rt).look().orders_today == 1


def test_a_new_account_may_have_traded_before_and_the_books_agree_on_it(rt: Runtime) -> None:
    now = account(rt).reset("PAPER1", past_days=8, actor=ASHA)

    assert (now.mark.number, now.orders_today) == (2, 0)
    assert now.opening == 1_000_000
    assert now.balance != now.opening, "it has traded since"
    rt.pnl.refresh()
    view = rt.pnl.read_whole()
    assert view.total.matches > 3
    beside = rt.pnl.reconcile()
    assert sum(span.broker.gross or 0 for span in beside.spans) == view.total.gross
    assert [one for span in beside.spans for one in span.differences if one.off_by] == []
    with pytest.raises(InvalidRequest, match="at most 250 days"):
        account(rt).reset("PAPER1", past_days=251, actor=ASHA)


def test_only_the_account_s_own_name_confirms_a_reset(rt: Runtime) -> None:
    for said in ("", "yes", "paper1"):
        with pytest.raises(InvalidRequest, match="type PAPER1"):
            account(rt).reset(said, actor=ASHA)

    assert account(rt).look().mark.number == 1


@pytest.mark.parametrize("opening", [Decimal(0), Decimal(-1), Decimal(10**10)])
def test_no_account_begins_with_nothing_or_with_all_the_money_there_is(rt: Runtime, opening: Decimal) -> None:
    with pytest.raises(InvalidRequest, match="more than nothing"):
        account(rt).reset("PAPER1", opening, actor=ASHA)

    assert account(rt).look().mark.number == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER])
def test_who_is_no_operator_resets_nothing(rt: Runtime, role: Role) -> None:
    with pytest.raises(Forbidden):
        account(rt).reset("PAPER1", actor=Actor("ravi", role))


def test_who_has_signed_out_is_asked_to_log_in(rt: Runtime) -> None:
    rt.login.sign_out()

    with pytest.raises(LoginRequired):
        account(rt).look()


class LosesAnswers(HttpClient):
    """An HTTP client whose answer to a reset never arrives; `acts`: the broker has done it all the same."""

    acts = True

    def send(self, method, url, **options):  # type: ignore[no-untyped-def]
        if url.endswith(RESET) and not self.acts:
            raise NoAnswer("no answer within 5 s")
        answer = super().send(method, url, **options)
        if url.endswith(RESET):
            raise NoAnswer("no answer within 5 s")
        return answer


@pytest.mark.parametrize("acts", [True, False])
def test_a_reset_without_an_answer_is_looked_up_and_never_sent_twice(rt: Runtime, acts: bool) -> None:
    http = LosesAnswers()
    http.acts = acts
    began: list[int] = []
    lossy = PaperAccounts(
        http=lambda: http,
        base=lambda: rt.broker.api,
        token=lambda writes: rt.login.token(writes=writes).secret,
        audit=rt.audit,
        began=lambda: began.append(1),
    )

    if acts:
        assert lossy.reset("PAPER1", actor=ASHA).mark.number == 2
    else:
        with pytest.raises(NoAnswer):
            lossy.reset("PAPER1", actor=ASHA)

    assert len(began) == int(acts)
    assert len(account(rt).look().archives) == int(acts)
    http.close()


def test_a_live_desk_has_no_paper_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Runtime(load_settings(data_dir=tmp_path / "desk", mode="live")) as live:
        assert live.paper_account is None
