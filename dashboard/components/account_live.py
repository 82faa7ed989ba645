"""Going live as a list on the account page: what is done, what is missing, and the next step of each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from dashboard.components.account_cards import own_callback
from dashboard.components.cards import card_title
from dashboard.components.notices import live_part
from dashboard.components.tour import tour_again
from dashboard.going_live import Done, Standing, Step, count_done, steps
from dashboard.markup import plain
from dashboard.resources import addresses_keeper, desk
from services.runtime import Runtime
from services.settings import Mode

EVERY = 10.0
_SIGNS = {
    Done.YES: ":green[:material/check_circle:]",
    Done.NO: ":orange[:material/radio_button_unchecked:]",
    Done.WRONG: ":orange[:material/error:]",
    Done.LATER: ":gray[:material/schedule:]",
}


def going_live_card() -> None:
    """Draw it; open as long as something is missing."""
    with st.container(border=True, key="going-live"):
        live_part(EVERY, "account-going-live")(_list)()
        tour_again()


def _list() -> None:
    found = steps(standing(desk(), own_callback()))
    title = "Going live" if desk().settings.mode is Mode.PAPER else "Ready for real orders?"
    card_title(title, f"{count_done(found)} of {len(found)} done")
    with st.grid(2, gap="small", min_column_width=300):
        for step in found:
            _step(step)


def _step(step: Step) -> None:
    with st.container(gap="xxsmall"):
        words = f"{_SIGNS[step.done]} **{plain(step.title)}** &ensp; {plain(f'{step.done.value}: {step.told}')}"
        st.markdown(words + (f"  \n:small[{plain(step.next)}]" if step.next else ""))
        if step.page is not None and step.done is not Done.YES:
            label = "To Safety" if step.link else "To the ticket"
            st.page_link(step.page, label=label, icon=":material/arrow_forward:", query_params=dict(step.link))


def standing(runtime: Runtime, answers_at: str | None) -> Standing:
    """How this desk stands. Raises `StorageError` where the ledger cannot tell."""
    settings, login = runtime.settings, runtime.login.state()
    live = settings.mode is Mode.LIVE
    saved = next(iter(runtime.audit.about("limits", 1)), None)
    told = addresses_keeper().look(login.user).value if live and login.kind is not None else None
    beside = runtime.folder.parent
    return Standing(
        live=live,
        rehearsal=settings.live_rehearsal,
        now=runtime.clock.now(),
        client_id=bool(settings.client_id),
        client_secret=settings.client_secret is not None,
        redirect_uri=settings.redirect_uri,
        answers_at=answers_at,
        fills=runtime.pnl.state.trades,
        practised=_written(beside / "paper") is not None,
        rehearsed=_written(beside / "rehearsal"),
        token=login.kind,
        seconds_left=login.seconds_left,
        static_ip=runtime.orders.static_ip(),
        addresses=None if told is None else sum(map(bool, (told.primary, told.secondary))),
        limits_set=None if saved is None else (saved.actor.name, saved.at),
        halted=runtime.orders.kill_switch().on,
    )


def _written(folder: Path) -> datetime | None:
    """When the ledger of another mode was written last. Nothing of it is read."""
    try:
        return datetime.fromtimestamp((folder / "ledger.db").stat().st_mtime, UTC)
    except OSError:
        return None
