"""Closed trades: a page at a time, sorted and found over all of them; one of them opened with its lots and charges."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.components.cards import card_title
from dashboard.components.chart_link import chart_link
from dashboard.components.figure_table import figure_table
from dashboard.components.pnl_journal import journal_card
from dashboard.components.trade_link import trade_link
from dashboard.formatting import day, quantity
from dashboard.markup import plain
from dashboard.pnl_choice import SORTS, Outcome
from dashboard.pnl_slices import slice_of
from dashboard.pnl_state import change, choose, chosen, take
from dashboard.pnl_tables import segment_name
from dashboard.pnl_trade_tables import TRADE_HEADS, lines_table, lots_table, tags_of, trades_table
from dashboard.pnl_words import average, bucket_word, product_word, signed_money
from services.pnl.book import PnlBook
from services.pnl.views import PnlView

_OUTCOME, _FIND, _SORT = "pnl-outcome", "pnl-find", "pnl-sort"
_PAGE, _PAGER = "pnl-page", "pnl-pager"
_NAMES = {
    Outcome.ALL: "All", Outcome.WON: "Won", Outcome.LOST: "Lost", Outcome.DOUBTFUL: "In doubt", Outcome.NOTED: "Noted",
}  # fmt: skip
_DOWN_FIRST = frozenset({"closed", "opened", "quantity", "gross", "charges", "net", "days", "buy", "sell"})


def trades_tab(view: PnlView) -> None:
    """The table with its filters."""
    choice, notes = chosen(), view.journal_notes
    _bar(view)
    page = slice_of(view.trades, choice, notes.keys())
    ids = [str(view.trades.id[place]) for place in page.places]
    table = trades_table(
        view.trades, page.places, sort=choice.sort, down=choice.down, noted=tags_of(notes, ids), picked=choice.trade,
        empty="No trade fits these filters.", accounts=view.wanted_account is None, keys=view.keys,
    )  # fmt: skip
    figure_table(table, key="pnl-trades", on_pick=_opened, on_sort=_sorted)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if page.pages > 1:
            _pager(page.pages, page.page)
        if page.found:
            st.caption(f"{quantity(page.first)} to {quantity(page.last)} of {quantity(page.found)} closed trades")


def _pager(pages: int, page: int) -> None:
    """Turns pages. Streamlit wants no pager's value set from outside, so where something else led to this page there is
    a new pager that begins with it."""
    number = int(st.session_state.get(_PAGER, 0))
    if st.session_state.get(f"{_PAGE}-{number}", page) != page:
        number += 1
        st.session_state[_PAGER] = number
    key = f"{_PAGE}-{number}"
    st.pagination(pages, default=page, key=key, on_change=take(key, lambda turned: change(page=int(turned))))


def _bar(view: PnlView) -> None:
    choice = chosen()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _set(_OUTCOME, choice.outcome)
        st.segmented_control(
            "Which trades",
            list(Outcome),
            format_func=_NAMES.__getitem__,
            key=_OUTCOME,
            required=True,
            label_visibility="collapsed",
            wrap=True,
            on_change=take(_OUTCOME, lambda outcome: change(outcome=Outcome(outcome))),
        )
        _set(_FIND, choice.find)
        st.text_input(
            "Find a symbol",
            key=_FIND,
            type="search",
            placeholder="Find a symbol",
            label_visibility="collapsed",
            width=200,
            on_change=take(_FIND, lambda find: change(find=find.strip())),
        )
        _set(_SORT, f"{choice.sort}-{'down' if choice.down else 'up'}")
        names = {head.id: head.label for head in TRADE_HEADS}
        st.selectbox(
            "Sort",
            list(dict.fromkeys([*(f"{name}-{way}" for name in names for way in _ways(name)), st.session_state[_SORT]])),
            format_func=lambda one: _sort_word(one, names),
            key=_SORT,
            label_visibility="collapsed",
            width=210,
            on_change=take(_SORT, _sort_chosen),
        )


def _ways(name: str) -> tuple[str, str]:
    return ("down", "up") if name in _DOWN_FIRST else ("up", "down")


def _sort_word(one: str, names: dict[str, str]) -> str:
    name, _, way = one.rpartition("-")
    label = names.get(name, name.capitalize())
    if name in {"closed", "opened"}:
        return f"{label}, {'newest' if way == 'down' else 'oldest'} first"
    if name in _DOWN_FIRST:
        return f"{label}, {'largest' if way == 'down' else 'smallest'} first"
    return f"{label}, {'A to Z' if way == 'up' else 'Z to A'}"


def _sort_chosen(word: str) -> None:
    name, _, way = word.rpartition("-")
    change(sort=name, down=way == "down")


def _sorted(column: str) -> None:
    """A head was pressed: by that column, and the other way round when it is already."""
    choice = chosen()
    if column in SORTS:
        down = not choice.down if choice.sort == column else column in _DOWN_FIRST
        choose(replace(choice, sort=column, down=down))


def _opened(trade_id: str) -> None:
    change(trade=trade_id)


def trade_dialog(view: PnlView, book: PnlBook) -> None:
    """The closed trade that is open, if there is one: beside the page."""
    id = chosen().trade
    if not id:
        return
    place = view.trade(id)
    if place is None:
        st.caption(":material/link_off: The trade of this link is not among those that are looked at.")
        return
    trades = view.trades
    title = f"{trades.symbol[place]}, closed {day(trades.closed_day[place].item())}"
    st.dialog(plain(title), width="large", on_dismiss=_closed)(_draw)(view, book, id, place)


def _closed() -> None:
    change(trade="")


def _draw(view: PnlView, book: PnlBook, id: str, place: int) -> None:
    trades = view.trades
    segment = str(trades.segment[place])
    what = (
        str(trades.side[place]), segment_name(segment), product_word(str(trades.product[place]), segment),
        bucket_word(str(trades.bucket[place])),
    )  # fmt: skip
    lots, lines = view.lots(id), view.charges(id)
    net = int(trades.net[place])
    colour = "green" if net > 0 else "red" if net < 0 else "gray"
    st.markdown(
        f"{quantity(int(trades.quantity[place]))} bought at {plain(average(int(trades.buy_average[place])))}, sold at "
        f"{plain(average(int(trades.sell_average[place])))}. Net :{colour}[**{plain(signed_money(net))}**]  \n"
        f":gray[{plain(' · '.join(filter(None, what)))}]"
    )
    if trades.doubtful[place]:
        causes = [flag.words for flag in view.flags if flag.instrument == trades.instrument[place]]
        words = ". ".join(causes) or "a part of its charges is not known"
        st.warning(
            plain(f"{words[:1].upper()}{words[1:]}."), title="These figures are in doubt", icon=":material/help:"
        )
    key = view.keys.get(str(trades.instrument[place]), "")
    if key:
        with st.container(horizontal=True, gap="small"):
            chart_link(key)
            trade_link(key)
    card_title("Lots", f"{quantity(len(lots))} matched; times in IST")
    figure_table(lots_table(lots), key="pnl-lots")
    if lines is not None:
        card_title("Charges", "both sides")
        figure_table(lines_table(lots, lines), key="pnl-lines")
    if sum(lot.quantity for lot in lots) != int(trades.quantity[place]):
        st.caption("The filters take a part of this trade out of the table; here all of it stands.")
    journal_card(view, book, id)


def _set(key: str, value: object) -> None:
    if st.session_state.get(key) != value:
        st.session_state[key] = value
