"""The top row of the health page: the checks, each with its reason and since when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dashboard.components.notices import live_part
from dashboard.components.web import browser_component
from dashboard.resources import desk
from services.measures.checks import Check, CheckState

_mount = browser_component("health_checks")

EVERY = 2.0
TITLES = {
    "feed": "Live feed", "rest": "Broker calls", "orders": "Orders",
    "storage": "Storage", "token": "Token", "market": "Market",
    "shared": "Processes",
}  # fmt: skip


@live_part(EVERY, "health-checks")
def checks_row() -> None:
    """Can the desk be trusted right now?"""
    _mount(key="health-checks-row", data=checks_data(desk().measures.checks()))


def checks_list(checks: Iterable[Check], *, key: str) -> None:
    """The same, a line each: for a card of another page."""
    _mount(key=key, data={**checks_data(checks), "compact": True})


def checks_data(checks: Iterable[Check]) -> dict[str, Any]:
    """What the browser draws; it counts the ages by itself."""
    checks = tuple(checks)
    reasons = reasons_told_once(checks)
    return {
        "label": summary(checks),
        "checks": [
            {
                "name": one.name,
                "title": TITLES.get(one.name, one.name),
                "state": one.state.value,
                "reason": reasons[one.name],
                "seconds": round(one.age_seconds, 1),
            }
            for one in checks
        ],
    }


def reasons_told_once(checks: Sequence[Check]) -> dict[str, str]:
    """The reason of each check. A sentence that several have in common stands in one of them, in the token's if it is
    among them; the others point there."""
    sentences = {one.name: one.reason.removesuffix(".").split(". ") for one in checks}
    homes: dict[str, str] = {}
    for name in sorted(sentences, key=lambda name: name != "token"):
        for sentence in sentences[name]:
            homes.setdefault(sentence, name)
    reasons = {one.name: one.reason for one in checks}
    for name, told in sentences.items():
        elsewhere = dict.fromkeys(homes[sentence] for sentence in told if homes[sentence] != name)
        if elsewhere:
            own = [sentence for sentence in told if homes[sentence] == name]
            reasons[name] = ". ".join([*own, *(f"See {TITLES.get(one, one)}" for one in elsewhere)]) + "."
    return reasons


def summary(checks: Iterable[Check]) -> str:
    """All of it in a sentence, for who cannot see the cards."""
    bad = [f"{TITLES.get(one.name, one.name)}: {one.state}" for one in checks if one.state is not CheckState.PASS]
    return "All checks pass" if not bad else ", ".join(bad)
