"""A broker that another one relays: its read-only token and its address."""

from __future__ import annotations

from services.paper.relay.upstream import LiveSource
from tests.support.paper_trading import Trader


def read_only_token(trader: Trader) -> str:
    """A token of that broker that is good for reads, for a year."""
    told: dict[str, str] = trader.send("POST", "/_paper/read-only-token").json()["data"]
    return told["access_token"]


def source(trader: Trader) -> LiveSource:
    """That broker in the place of Upstox."""
    return LiveSource(read_only_token(trader), trader.base, trader.base)
