"""The live table of positions or holdings: rows for the browser, and what somebody asked for in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from dashboard.components.notices import problems_said
from dashboard.components.web import browser_component
from dashboard.portfolio_columns import MoneyColumn
from dashboard.portfolio_rows import Record, table_data
from dashboard.reading import Reading
from dashboard.resources import push_tokens
from dashboard.state import push_door

_mount = browser_component("position_table", live=True, parts=("position_cells",))

MOST_ASKED = 5_000


@dataclass(frozen=True, slots=True)
class Offer:
    """A button over the table. `of`: it acts on `one` chosen row, on `some`, or on `all` there are (`on`: is there
    anything?)."""

    id: str
    label: str
    help: str
    of: str = "some"
    on: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for: which button, for which rows (all of them: none named)."""

    what: str
    ids: tuple[str, ...] = ()

    @classmethod
    def from_browser(cls, sent: object) -> Asked | None:
        """What the table sent; `None` for anything else."""
        if not isinstance(sent, Mapping):
            return None
        what, ids = sent.get("do"), sent.get("ids")
        if not isinstance(what, str) or not isinstance(ids, list) or len(ids) > MOST_ASKED:
            return None
        return cls(what, tuple(str(id) for id in ids))


def position_table(
    rows: Sequence[Record],
    columns: Sequence[MoneyColumn[Any]],  # Any: of either table
    reading: Reading,
    *,
    key: str,
    label: str,
    noun: str,
    empty: str,
    actions: Mapping[str, str],
    offers: Sequence[Offer],
    on_ask: Callable[[Asked], object],
) -> None:
    """Draw the table. `actions` are the buttons of each row, id and label; `on_ask` runs before the next redraw."""

    def asked() -> None:
        told = Asked.from_browser(getattr(st.session_state.get(key), "asked", None))
        if told is not None:
            with problems_said():
                on_ask(told)

    data = table_data(rows, columns, reading) | {
        "label": label,
        "noun": noun,
        "empty": empty,
        "choosable": bool(offers),
        "actions": [{"id": id, "label": name} for id, name in actions.items()],
        "offers": [asdict(offer) for offer in offers],
        "push": push_door(push_tokens().renew),
    }
    _mount(key=key, data=data, on_asked_change=asked)
