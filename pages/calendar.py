"""Calendar: what is open now, the week ahead, a year of holidays, sessions and expiries, and who says so."""

from __future__ import annotations

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from dashboard.calendar_year import lines_of, of_kinds, year_plan
from dashboard.components.calendar_bar import calendar_file_card, csv_button, pick_kinds, pick_market, pick_year
from dashboard.components.calendar_list import day_list
from dashboard.components.calendar_now import board_data, now_board
from dashboard.components.calendar_sources import practice_note, show_disputes, show_silence, sources_card
from dashboard.components.calendar_year import year_view
from dashboard.resources import desk
from services.domain.clock import ist_date

rt = desk()
now, today = rt.clock.now(), ist_date(rt.clock.now())
calendar, state = rt.calendar.current, rt.calendar.state()


if state.practice:
    practice_note()
show_disputes(state.contradictions, now)
show_silence(state, today, signed_in=rt.login.state().kind is not None)
with st.container(border=True):
    speed = float(getattr(rt.clock, "speed", 1.0))
    board = board_data(calendar, rt.calendar, now, speed=speed, notes=lambda day: lines_of(calendar, day))
    now_board(board, key="cal-now")

with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.header("Year", anchor=False, width="content")
    year, market = pick_year(today.year), pick_market()
plan = year_plan(calendar, year, market)
with st.container(border=True):
    year_view(plan, today, key="cal-year-view")

with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.header("List", anchor=False, width="content")
    kinds = pick_kinds()
    lines = of_kinds(plan.entries, kinds)
    csv_button(lines, year)
day_list(lines, plan.markets, today, key="cal-list", empty=f"Nothing of that is known for {year}.")

left, right = st.columns(2, gap="small")
with left, st.container(border=True, height="stretch"):
    sources_card(state, now)
with right, st.container(border=True, height="stretch"):
    calendar_file_card(market, kinds)
st_autorefresh(interval=60_000, key="calendar-refresh")
