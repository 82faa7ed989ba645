"""The paper account: what it began with, what it is now, the accounts before it, and its reset."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import streamlit as st

from dashboard.components.cards import card_title, fact_table
from dashboard.components.figure_table import figure_table
from dashboard.components.notices import live_part, told_at
from dashboard.formatting import ist_moment, quantity, rupees
from dashboard.kept import Look
from dashboard.markup import plain
from dashboard.order_session import actor
from dashboard.portfolio_words import as_of_words
from dashboard.resources import desk, paper_account_keeper
from dashboard.state import say, say_later
from dashboard.tables import Head, word, words_table
from dashboard.words import in_words
from services.domain.clock import IST, ist_date
from services.domain.errors import UpstoxError
from services.domain.paper_accounts import ArchivedAccount, PaperAccount

EVERY = 5.0
USUAL_OPENING = 10_00_000
MOST_PAST_DAYS = 250
_ASKED = "account-reset-asked"
_HEADS = (
    word("Account"), word("Opened", rank=3), word("Put away"), Head("from", "Began with", rank=2),
    Head("to", "Ended with"), Head("orders", "Orders", rank=2), Head("trades", "Trades", rank=2),
)  # fmt: skip


def paper_account_card() -> None:
    """The card, on a paper desk only; elsewhere nothing."""
    if desk().paper_account is None:
        return
    with st.container(border=True):
        card_title("Paper account", "practice money, on this machine only")
        live_part(EVERY, "account-paper")(_account)()
        if st.button("Reset the paper account", icon=":material/restart_alt:", key="account-reset"):
            st.session_state[_ASKED] = True
    known = _look().value
    if st.session_state.get(_ASKED) and known is not None:  # with every run, until it is answered or put away
        _reset_dialog(known)


def _put_away() -> None:
    st.session_state.pop(_ASKED, None)


def _look() -> Look[PaperAccount | None]:
    return paper_account_keeper().look(desk().login.state().user)


def _account() -> None:
    say()
    look = _look()
    account, now = look.value, desk().clock.now()
    if account is None:
        why = "The broker is being asked" if look.problem is None else f"Not known. {in_words(look.problem).title}"
        st.caption(f":material/info: {plain(why)}.")
        return
    fact_table(
        {
            "Account": f"number {account.mark.number}, {opened_words(account)}",
            "Began with": rupees(account.opening),
            "Balance": f"{rupees(account.balance)}, open positions apart",
            _day_of(look.at, now): f"{_count(account.orders_today, 'order')}, {_count(account.trades_today, 'trade')}",
        },
        current=look.problem is None,
    )
    if account.archives:
        st.caption("Accounts that were put away. Their orders and trades stay in the desk's ledger.")
        rows = [_row(one) for one in reversed(account.archives)]
        figure_table(words_table(_HEADS, rows, "Accounts before this one"), key="account-archives")
    if look.problem is not None and look.at is not None:
        told_at(as_of_words(look.at, now, look.problem), current=False)


def opened_words(account: PaperAccount) -> str:
    """Since when it runs. One with a past that it was given opened earlier than it was begun."""
    before = account.archives[-1] if account.archives else None
    if before is None or account.opened >= before.closed:
        return f"opened {ist_moment(account.opened)}"
    return f"begun {ist_moment(before.closed)}, with a past from {ist_moment(account.opened)} on"


def _day_of(at: datetime | None, now: datetime) -> str:
    """What was told on a day before is not of today."""
    return "Today" if at is None or ist_date(at) == ist_date(now) else f"{at.astimezone(IST):%a %d %b}"


def _row(one: ArchivedAccount) -> tuple[str, ...]:
    return (
        str(one.number),
        ist_moment(one.opened),
        ist_moment(one.closed),
        rupees(one.opening),
        rupees(one.balance),
        quantity(one.orders),
        quantity(one.trades),
    )


def _unknown() -> str:
    """The decisions of which nobody knows what became of them, in words; "" for none."""
    orders = desk().orders
    if orders.ready():  # those of before the start are not looked up yet, so their number is not known either
        return "the orders of before"
    count = len(orders.open_intents())
    return _count(count, "decision") if count else ""


@st.dialog("Reset the paper account?", icon=":material/restart_alt:", on_dismiss=_put_away)
def _reset_dialog(account: PaperAccount) -> None:
    st.markdown(
        plain(
            f"Account {account.mark.number} is put away with everything in it: open orders are cancelled; positions, "
            "holdings, GTT orders and money are gone. A new account begins."
        )
    )
    st.markdown("The desk's own ledger keeps every order, trade and decision. This cannot be taken back.")
    if unknown := _unknown():
        st.warning(
            plain(
                f"What became of {unknown} is not known yet. After the reset nobody can find out about those that the "
                "account's last book does not tell."
            ),
            icon=":material/help:",
        )
    with st.form("account-reset-form", border=False, enter_to_submit=False):
        opening = st.number_input(
            "The new account begins with, rupees", 1, 1_000_000_000, USUAL_OPENING, step=1_00_000, key="account-opening"
        )
        past = st.number_input(
            "Days before today on which it has already traded",
            0,
            MOST_PAST_DAYS,
            0,
            step=20,
            key="account-past",
            help="At the simulated prices of those days, so that the P&L has something to show. Takes some seconds.",
        )
        typed = st.text_input(
            f"Type {account.user_id} to confirm", key="account-confirm", autocomplete="off", placeholder=account.user_id
        )
        if not st.form_submit_button("Put it away and begin anew", type="primary", icon=":material/restart_alt:"):
            return
    accounts = desk().paper_account
    if accounts is None:
        return
    try:
        now = accounts.reset(typed, Decimal(opening), past_days=past, actor=actor())
    except UpstoxError as error:
        words = in_words(error)
        st.error(plain(words.text), title=words.title)
        return
    _put_away()
    paper_account_keeper().doubt()
    say_later(f"Account {now.mark.number} has begun, with {rupees(now.opening)}")
    st.rerun()


def _count(number: int, what: str) -> str:
    return f"{quantity(number)} {what}{'' if number == 1 else 's'}"
