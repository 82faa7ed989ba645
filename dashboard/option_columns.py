"""The columns of an option chain, the same for calls and puts, from the strike outwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dashboard.push.fields import PLACE


@dataclass(frozen=True, slots=True)
class ChainColumn:
    """One column. `kind` names its painter in `web/option_chain.js`. `members` are what it shows of one side; those
    that travel by the push channel as well bear the same name there (`dashboard.push.fields`)."""

    id: str
    label: str
    kind: str
    help: str
    members: tuple[str, ...]
    width: int
    """Least width in pixels."""
    decimals: int | None = None
    """`None`: those of the contract's prices."""

    def head(self) -> dict[str, Any]:  # Any: texts, numbers and places
        return {
            "id": self.id,
            "label": self.label,
            "kind": self.kind,
            "help": self.help,
            "w": self.width,
            "d": self.decimals,
            "f": [PLACE.get(name) for name in self.members],
        }


LTP = ChainColumn("ltp", "LTP", "ltp", "Last traded price, and its change in percent", ("ltp", "change_percent"), 76)
CHOICE: tuple[ChainColumn, ...] = (
    LTP,
    ChainColumn("bid_ask", "Bid, ask", "pair", "Best bid over best ask", ("bid", "ask"), 74),
    ChainColumn("iv", "IV", "percent", "Implied volatility in percent a year", ("iv_percent",), 58, 1),
    ChainColumn("delta", "Delta", "signed", "Rupees for each rupee of the underlying", ("delta",), 56, 2),
    ChainColumn("theta", "Theta", "signed", "Rupees that a day takes", ("theta",), 66, 2),
    ChainColumn("gamma", "Gamma", "plain", "Change of delta for each rupee of the underlying", ("gamma",), 70, 5),
    ChainColumn("vega", "Vega", "plain", "Rupees for each point of implied volatility", ("vega",), 60, 2),
    ChainColumn("volume", "Volume", "quantity", "Units traded today", ("volume",), 74),
    ChainColumn("oi_change", "OI change", "change", "Open interest against the previous day", ("oi_change",), 78),
    ChainColumn("oi", "OI", "bar", "Open interest in units; the bar compares it with the others shown", ("oi",), 76),
)
_BY_ID = {column.id: column for column in CHOICE}
CHOOSABLE: tuple[str, ...] = tuple(column.id for column in CHOICE if column is not LTP)
DEFAULT: tuple[str, ...] = ("bid_ask", "iv", "delta", "volume", "oi_change", "oi")


def columns(ids: Iterable[str]) -> tuple[ChainColumn, ...]:
    """The chosen columns in the one order that every chain has; the price is always among them."""
    wanted = set(ids)
    return tuple(column for column in CHOICE if column is LTP or column.id in wanted)


def label(id: str) -> str:
    """The label of the column of that id."""
    return _BY_ID[id].label
