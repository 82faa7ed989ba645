"""What real orders need, told from how the desk stands: each step is done, missing, or can only be told by a live desk.
Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from dashboard.formatting import duration, ist_when, quantity
from dashboard.navigation import ORDERS
from services.domain.accounts import TokenKind
from services.domain.order_facts import StaticIp

CONSOLE = "https://account.upstox.com/developer/apps"
USUAL_REDIRECT = "http://127.0.0.1:8501/login/callback"


class Done(StrEnum):
    """How a step stands."""

    YES = "done"
    NO = "missing"
    WRONG = "to be changed"
    LATER = "later"
    """A paper desk cannot know: the live desk keeps data of its own."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that real orders need. `told`: how it stands; `next`: what to do, "" where nothing is to be done."""

    title: str
    done: Done
    told: str
    next: str = ""
    page: Path | None = None
    link: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known at the moment. `answers_at`: where this browser reaches the desk's callback."""

    live: bool
    rehearsal: bool
    now: datetime
    client_id: bool
    client_secret: bool
    redirect_uri: str | None
    answers_at: str | None
    fills: int
    """Own fills that this desk knows of."""
    practised: bool
    """Is there a paper desk's ledger beside this one?"""
    rehearsed: datetime | None
    """When the ledger of a rehearsal beside this desk was written last."""
    token: TokenKind | None
    seconds_left: float | None
    static_ip: StaticIp
    addresses: int | None
    """Registered ones; `None`: the broker has not told."""
    limits_set: tuple[str, datetime] | None
    """Who last saved the limits, and when."""
    halted: bool


def steps(standing: Standing) -> tuple[Step, ...]:
    """All of them, in the order in which they are best done."""
    return (
        _practice(standing), _app(standing), _redirect(standing), _rehearsal(standing), _login(standing),
        _address(standing), _limits(standing), _switch(standing),
    )  # fmt: skip


def count_done(all_steps: tuple[Step, ...]) -> int:
    return sum(step.done is Done.YES for step in all_steps)


def _practice(now: Standing) -> Step:
    title = "Practise on paper"
    if now.live:
        if now.practised:
            return Step(title, Done.YES, "a paper desk has been used in this data folder")
        return Step(
            title, Done.NO, "no paper desk in this data folder", "Start it without --mode live and trade there."
        )
    if now.fills:
        return Step(title, Done.YES, f"{quantity(now.fills)} fills so far")
    return Step(title, Done.NO, "no fill yet", "Buy and sell something with practice money.", ORDERS)


def _app(now: Standing) -> Step:
    title = "App key and secret"
    given = {"UPSTOX_CLIENT_ID": now.client_id, "UPSTOX_CLIENT_SECRET": now.client_secret}
    missing = [name for name, is_set in given.items() if not is_set]
    if not missing:
        return Step(title, Done.YES, "both are set")
    todo = f"Create an app at {CONSOLE}, write {' and '.join(missing)} into .env beside the README, start again."
    return Step(title, Done.NO, f"{' and '.join(missing)} not set", todo)


def _redirect(now: Standing) -> Step:
    title = "Redirect URL"
    wanted = now.answers_at or USUAL_REDIRECT
    if now.redirect_uri is None:
        todo = f"Set UPSTOX_REDIRECT_URI to {wanted}, letter for letter as in the app's registration."
        return Step(title, Done.NO, "UPSTOX_REDIRECT_URI not set", todo)
    ours, theirs = urlsplit(wanted), urlsplit(now.redirect_uri)
    if now.answers_at is not None and (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        todo = f"It has to lead to this desk: {wanted}. Or open the desk by the address that is registered."
        return Step(title, Done.WRONG, f"{now.redirect_uri} leads elsewhere", todo)
    return Step(title, Done.YES, f"{now.redirect_uri} leads here")


def _rehearsal(now: Standing) -> Step:
    title = "Rehearse the live path"
    if now.rehearsal:
        return Step(title, Done.YES, "this desk is a rehearsal")
    if now.rehearsed is not None:
        return Step(title, Done.YES, f"last rehearsal {ist_when(now.rehearsed, now.now)}")
    return Step(
        title, Done.NO, "no rehearsal in this data folder",
        "Live mode against a broker on this machine, with login and all: the README has the two commands.",
    )  # fmt: skip


def _login(now: Standing) -> Step:
    title = "Log in"
    if not now.live:
        return Step(
            title, Done.LATER, "this is a paper desk", "Start with: python3 -m dashboard --mode live, then log in here."
        )
    if now.token is TokenKind.ACCESS:
        return Step(title, Done.YES, f"good for {duration(now.seconds_left)}")
    if now.token is TokenKind.READ_ONLY:
        return Step(title, Done.NO, "only a read-only token is there", "Log in above: orders need an access token.")
    return Step(title, Done.NO, "nobody is logged in", "Log in above; tokens end at 03:30 IST each night.")


def _address(now: Standing) -> Step:
    title = "Static IP"
    todo = f"Register this machine's public address with the app at {CONSOLE}."
    if not now.live:
        return Step(title, Done.LATER, "paper needs none", todo)
    if now.static_ip is StaticIp.REFUSED:
        return Step(title, Done.NO, "orders were refused from this address: it is not the registered one", todo)
    if now.addresses == 0:
        return Step(title, Done.NO, "no address is registered", todo)
    if now.static_ip in (StaticIp.ACCEPTED, StaticIp.NOT_NEEDED):
        return Step(title, Done.YES, "orders are taken from this address")
    if now.addresses is None:
        return Step(title, Done.NO, "the broker has not told the registered addresses yet", "Log in first.")
    return Step(title, Done.YES, "an address is registered; the first order shows whether it is this one's")


def _limits(now: Standing) -> Step:
    title, link = "Limits reviewed", {"view": "Safety"}
    if now.limits_set is not None:
        who, when = now.limits_set
        place = "" if now.live else " on this paper desk; the live desk has limits of its own"
        return Step(
            title, Done.YES if now.live else Done.LATER, f"saved by {who} {ist_when(when, now.now)}{place}",
            "" if now.live else "Save those of the live desk there.", ORDERS, link,
        )  # fmt: skip
    told = "nobody has saved them, those of the program hold"
    return Step(title, Done.NO, told, "Read them under Safety and save them, changed or not.", ORDERS, link)


def _switch(now: Standing) -> Step:
    title, link = "Kill switch known", {"view": "Safety"}
    if now.halted:
        todo = "Turn it off under Safety when you are ready."
        return Step("Kill switch off", Done.NO, "it is on: no new order leaves", todo, ORDERS, link)
    return Step(title, Done.YES, "orders may leave; the switch lies under Safety and works at once", "", ORDERS, link)
