"""Decisions of which nobody knows what became of them, as the ledger has them."""

from __future__ import annotations

from datetime import timedelta

from services.domain.intents import Intent, IntentState
from services.runtime import Runtime


def unsettled(runtime: Runtime) -> list[Intent]:
    """Those whose answer was lost, and those whose answer is overdue. One that a desk sends this very moment is
    neither."""
    overdue = runtime.clock.now() - timedelta(seconds=runtime.settings.order_lost_after * runtime.speed)
    return [one for one in runtime.intents.open() if one.state is IntentState.UNKNOWN or one.created_at < overdue]


def lost_words(count: int) -> str:
    """So many are unsettled, in a sentence's words."""
    return f"nobody knows what became of {count} decision{'' if count == 1 else 's'} to send, change or cancel"
