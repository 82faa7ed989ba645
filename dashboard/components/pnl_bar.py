"""Which results are looked at: period, segment, and finer filters. All of it is in the link."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import streamlit as st

from dashboard.markup import plain
from dashboard.pnl_choice import EVERY_ACCOUNT, SEGMENTS, Choice, Period, period_name
from dashboard.pnl_state import change, chosen, problems, take
from dashboard.pnl_words import bucket_word, product_label
from services.pnl.views import PnlView
from services.portfolio.lots.terms import BUCKETS

_PERIOD, _DATES, _SEGMENT = "pnl-period", "pnl-dates", "pnl-segment"
_SYMBOL, _PRODUCT, _BUCKET, _ACCOUNT = "pnl-symbol", "pnl-product", "pnl-bucket", "pnl-account"
_EARLIEST = date(2000, 1, 1)


def filter_bar(view: PnlView, today: date) -> None:
    """The filters, in whatever row they are put. `view`: what is looked at now; it knows what there is to choose."""
    choice = chosen()
    _periods(choice, today)
    _segments(choice)
    _finer(choice, view)


def link_problems() -> None:
    """What the link asked for and could not be understood."""
    for problem in problems():
        st.caption(f":material/link_off: {plain(problem[:1].upper() + problem[1:])}.")


def _periods(choice: Choice, today: date) -> None:
    _set(_PERIOD, choice.period)
    st.segmented_control(
        "Period",
        list(Period),
        format_func=lambda period: period_name(period, today),
        key=_PERIOD,
        required=True,
        label_visibility="collapsed",
        wrap=True,
        help="By the day of the closing. FY: April to March",
        on_change=take(_PERIOD, lambda period: _period_changed(Period(period), today)),
    )
    if choice.period is Period.DATES:
        days = tuple(day for day in (choice.first, choice.last) if day is not None)
        _set(_DATES, days)
        st.date_input(
            "First and last day",
            min_value=min(_EARLIEST, *days),  # a link may name any day
            max_value=max(today, *days),
            format="DD/MM/YYYY",
            key=_DATES,
            label_visibility="collapsed",
            width=220,
            on_change=_dates_changed,
        )


def _segments(choice: Choice) -> None:
    _set(_SEGMENT, choice.segment)
    st.segmented_control(
        "Segment",
        list(SEGMENTS),
        format_func=SEGMENTS.__getitem__,
        key=_SEGMENT,
        required=True,
        label_visibility="collapsed",
        wrap=True,
        on_change=take(_SEGMENT, lambda segment: change(segment=segment)),
    )


def _finer(choice: Choice, view: PnlView) -> None:
    """Symbol, product, bucket, account; those that are set can be taken off beside it."""
    label = f"More ({choice.finer})" if choice.finer else "More"
    with st.popover(label, icon=":material/filter_list:", key="pnl-finer", on_change="rerun") as popover:
        if popover.open:
            _pick("Symbol", _SYMBOL, view.symbols, choice.symbol, str)
            _pick("Product", _PRODUCT, view.products, choice.product, product_label)
            _pick("Bucket", _BUCKET, tuple(bucket.value for bucket in BUCKETS), choice.bucket, bucket_word)
            if len(view.accounts) > 1 or choice.account:
                _pick("Account", _ACCOUNT, (EVERY_ACCOUNT, *view.accounts), choice.account, _account_word)
    words: dict[str, Callable[[str], str]] = {
        "symbol": str,
        "product": product_label,
        "bucket": bucket_word,
        "account": _account_word,
    }
    for name, word in words.items():
        value = getattr(choice, name)
        if value:
            st.button(
                plain(word(value)),
                key=f"pnl-off-{name}",
                icon=":material/close:",
                type="tertiary",
                help=f"Take the filter by {name} off",
                on_click=change,
                kwargs={name: ""},
            )


def _pick(label: str, key: str, options: tuple[str, ...], value: str, word: Callable[[str], str]) -> None:
    offered = list(dict.fromkeys([*options, *([value] if value else [])]))
    _set(key, value or None)
    name = key.removeprefix("pnl-")
    st.selectbox(
        label,
        offered,
        format_func=word,
        index=None,
        key=key,
        placeholder="The running one" if name == "account" else "All",
        on_change=lambda: change(**{name: st.session_state[key] or ""}),
    )


def _account_word(account: str) -> str:
    return "All accounts" if account == EVERY_ACCOUNT else account


def _period_changed(period: Period, today: date) -> None:
    if period is not Period.DATES:
        change(period=period, first=None, last=None)
        return
    first, last = chosen().days(today)
    change(period=period, first=first or today.replace(day=1), last=min(last or today, today))


def _dates_changed() -> None:
    told = st.session_state[_DATES]
    days = list(told) if isinstance(told, list | tuple) else [told]
    if len(days) == 2:  # while only one is picked the other is still to come
        change(first=days[0], last=days[1])


def _set(key: str, value: object) -> None:
    """Have a widget show what is looked at, whoever changed it."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value
