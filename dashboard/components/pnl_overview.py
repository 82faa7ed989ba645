"""The results at a glance: the curve, the calendar, the way from gross to net, groups, distribution, statistics."""

from __future__ import annotations

from datetime import date

import streamlit as st

from dashboard.components.cards import card_title, fact_groups
from dashboard.components.figure_table import figure_table
from dashboard.components.pnl_parts import day_calendar, picture
from dashboard.formatting import quantity
from dashboard.pnl_choice import year_days
from dashboard.pnl_pictures import curve_scene, days_scene, spread_scene, way_scene
from dashboard.pnl_state import change, choose, chosen
from dashboard.pnl_statistics import statistic_groups
from dashboard.pnl_tables import groups_table
from services.pnl.views import PnlView
from services.portfolio.closed import By

GROUPINGS = (By.SYMBOL, By.UNDERLYING, By.SEGMENT, By.PRODUCT, By.BUCKET, By.MONTH, By.YEAR)
_GROUPING, _CAPITAL = "by", "pnl-capital"


def overview(view: PnlView) -> None:
    """Everything about trades that were closed; there is at least one."""
    with st.container(border=True):
        card_title("Equity curve", "net of charges; drag to look closer, click on a day to see it alone")
        picture(curve_scene(view.curve), key="pnl-curve", on_day=_on_day)
    with st.container(border=True):
        card_title("Calendar", "net result of each day")
        day_calendar(days_scene(view.trades), key="pnl-days", on_day=_on_day)
    with st.grid(2, gap="small", min_column_width=340):
        with st.container(border=True, height="stretch"):
            card_title("From gross to net")
            picture(way_scene(view.total), key="pnl-way")
        with st.container(border=True, height="stretch"):
            count = quantity(len(view.trades))
            card_title("Distribution", f"{count} trade{'' if len(view.trades) == 1 else 's'} by net result")
            picture(spread_scene(view.trades.net), key="pnl-spread")
    with st.container(border=True):
        _groups(view)
    with st.container(border=True):
        _statistics(view)


def _groups(view: PnlView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Breakdown**", width="content")
        by = By(
            st.segmented_control(
                "Group by",
                [one.value for one in GROUPINGS],
                format_func=str.capitalize,
                default=By.SYMBOL.value,
                required=True,
                key=_GROUPING,
                bind="query-params",
                label_visibility="collapsed",
                wrap=True,
            )
            or By.SYMBOL
        )
    table = groups_table(by, view.by(by), view.total)
    figure_table(table, key="pnl-groups", on_pick=lambda label: _narrow(by, label))
    alone = "" if by is By.UNDERLYING else "A row looks at that group alone. "
    st.caption(f"{alone}A lot is what one purchase and one sale have in common.")


def _narrow(by: By, label: str) -> None:
    """Look at one group alone."""
    match by:
        case By.SYMBOL | By.SEGMENT | By.PRODUCT | By.BUCKET if label != "?":
            change(**{by.value: label})
        case By.YEAR:
            choose(chosen().between(*year_days(label)))
        case By.MONTH:
            first = date.fromisoformat(f"{label}-01")
            after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
            choose(chosen().between(first, date.fromordinal(after.toordinal() - 1)))


def _statistics(view: PnlView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        card_title("Statistics", "a trade is what one order closed; net of charges")
        st.space("stretch")
        with st.popover(
            "Starting capital", icon=":material/savings:", key="pnl-capital-of", on_change="rerun"
        ) as popover:
            if popover.open:
                if st.session_state.get(_CAPITAL) != (chosen().capital or None):
                    st.session_state[_CAPITAL] = chosen().capital or None
                st.number_input(
                    "Rupees at the start of the period",
                    min_value=1,
                    max_value=10**12 - 1,
                    step=1000,
                    value=None,
                    key=_CAPITAL,
                    placeholder="Not told",
                    help="The drawdown in percent and the Sharpe ratio need it",
                    on_change=lambda: change(capital=int(st.session_state[_CAPITAL] or 0)),
                )
    fact_groups(statistic_groups(view.statistics), key="pnl-statistics")


def _on_day(day: date) -> None:
    choose(chosen().on(day))
