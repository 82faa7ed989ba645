"""The broker's words for what a market is doing now, in terms of phases.

The documented words speak of a market as a whole, and one market holds listings of different hours: while shares with
derivatives are in their closing auction, the others trade. So a word contradicts the table only if no listing of the
market is in the phase it names. Other words that begin with `CAS` or `CLOSING_AUCTION` than the four below are taken
for the auction too. Every other word means that it is not known what the market does, never "open".
"""

from __future__ import annotations

from collections.abc import Iterable

from services.domain.phases import Accepts, Phase, PhaseNow, Stage

Meaning = tuple[Phase, Stage, Accepts]

MEANINGS: dict[str, Meaning] = {
    "PRE_OPEN_START": (Phase.PRE_OPEN, Stage.ORDERS, Accepts.LIMIT_AND_MARKET),
    "PRE_OPEN_M_END": (Phase.PRE_OPEN, Stage.LIMIT_ONLY, Accepts.LIMIT),
    "PRE_OPEN_END": (Phase.PRE_OPEN, Stage.MATCHING, Accepts.NOTHING),
    "NORMAL_OPEN": (Phase.OPEN, Stage.CONTINUOUS, Accepts.ALL),
    "NORMAL_CLOSE": (Phase.CLOSED, Stage.NONE, Accepts.NOTHING),
    "CLOSING_START": (Phase.POST_CLOSE, Stage.CLOSING_PRICE, Accepts.CLOSING_PRICE),
    "CLOSING_END": (Phase.CLOSED, Stage.NONE, Accepts.NOTHING),
    "CTS_CLOSE": (Phase.CLOSING_AUCTION, Stage.REFERENCE, Accepts.NOTHING),
    "CAS_LM_START": (Phase.CLOSING_AUCTION, Stage.ORDERS, Accepts.LIMIT_AND_MARKET),
    "CAS_M_STOP": (Phase.CLOSING_AUCTION, Stage.LIMIT_ONLY, Accepts.LIMIT),
    "CAS_STOP": (Phase.CLOSING_AUCTION, Stage.MATCHING, Accepts.NOTHING),
}
_AUCTION_WORDS = ("CAS", "CLOSING_AUCTION")
_NOT_KNOWN: Meaning = (Phase.UNKNOWN, Stage.NONE, Accepts.NOTHING)


def meaning(status: str) -> Meaning:
    """What a word of the broker means. Words never seen: `Phase.UNKNOWN`."""
    word = status.strip().upper()
    if word in MEANINGS:
        return MEANINGS[word]
    # Which stage began or ended is not told by a word nobody has documented: no orders until the table says so.
    return (Phase.CLOSING_AUCTION, Stage.NONE, Accepts.NOTHING) if word.startswith(_AUCTION_WORDS) else _NOT_KNOWN


def agrees(status: str, nows: Iterable[PhaseNow]) -> bool:
    """Is at least one of the market's listings, whose phases by the table are `nows`, in the phase the word names?"""
    phase, stage, _ = meaning(status)
    for now in nows:
        # Orders may be cancelled in MCX's first quarter of an hour, and nothing else: no word names that.
        told = Phase.CLOSED if now.stage is Stage.CANCELLATIONS else now.phase
        if told is not phase:
            continue
        if phase is Phase.PRE_OPEN and stage is Stage.MATCHING and now.accepts is not Accepts.NOTHING:
            continue  # the broker says that the pre-open takes no more orders
        return phase is not Phase.UNKNOWN
    return False
