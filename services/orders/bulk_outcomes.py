"""What came of many things at once: of a call about many, by the lines of its answer, and of many calls together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.domain.intents import Intent, IntentKind, IntentState
from services.domain.order_words import reason_in_words
from services.domain.orders import BulkResult, LineError
from services.orders.sending import LOOKING, Fate
from services.orders.views import BulkLine, BulkOutcome


def fate_of_line(ids: Sequence[str], error: LineError | None) -> Fate:
    """What a bulk answer says of one line. A line that it does not name is unknown."""
    if ids:
        return Fate(IntentState.ACCEPTED, tuple(ids))
    if error is not None and not error.outcome_unknown:
        return Fate(IntentState.REFUSED, code=error.code, reason=reason_in_words(error.code, error.message))
    told = "the broker's answer does not say what became of it" if error is None else error.message
    return Fate(IntentState.UNKNOWN, code="" if error is None else error.code, reason=f"{told}; {LOOKING}")


def fate_of_many(told: BulkResult, asked: Sequence[str]) -> Fate:
    """What a bulk answer says of all its lines. Never "all" where a line failed, whatever the status said."""
    lines = [{"name": one, "state": str(IntentState.ACCEPTED)} for one in told.order_ids]
    for error in told.errors:
        state = IntentState.UNKNOWN if error.outcome_unknown else IntentState.REFUSED
        lines.append(
            {
                "name": error.order_id or error.key or "",
                "state": str(state),
                "code": error.code,
                "reason": reason_in_words(error.code, error.message),
            }
        )
    failed = [line for line in lines if line["state"] != IntentState.ACCEPTED]
    result = {"lines": lines, "total": max(told.total, len(lines)), "asked": list(asked)}
    if any(line["state"] == IntentState.UNKNOWN for line in lines):
        return Fate(
            IntentState.UNKNOWN, told.order_ids, reason=f"of some lines it is not known; {LOOKING}", result=result
        )
    if not told.order_ids and failed:
        return Fate(IntentState.REFUSED, code=failed[0]["code"], reason=failed[0]["reason"], result=result)
    reason = ""
    if failed or told.failed:
        reason = f"{len(told.order_ids)} of {result['total']} went through"
    return Fate(IntentState.ACCEPTED, told.order_ids, reason=reason, result=result)


def bulk_outcome(intent: Intent, *, repeated: bool) -> BulkOutcome:
    """Of one call about many."""
    rows = (intent.result or {}).get("lines") or ()
    lines = tuple(
        BulkLine(row["name"], IntentState(row["state"]), row.get("code", ""), row.get("reason", "")) for row in rows
    )
    if not lines and intent.order_ids:
        lines = tuple(BulkLine(one, intent.state) for one in intent.order_ids)
    return BulkOutcome(intent.state, intent.intent_id, intent.kind, lines, intent.code, intent.reason, repeated)


def each_outcome(kind: IntentKind, intent_id: str, intents: Iterable[Intent], *, repeated: bool) -> BulkOutcome:
    """Of one call for each."""
    lines = tuple(BulkLine(one.target, one.state, one.code, one.reason) for one in intents)
    return BulkOutcome(together(lines), intent_id, kind, lines, repeated=repeated)


def together(lines: Sequence[BulkLine]) -> IntentState:
    """The state of a whole: unknown while any line is, accepted if any line was."""
    states = {line.state for line in lines}
    for state in (IntentState.PREPARED, IntentState.UNKNOWN, IntentState.ACCEPTED, IntentState.REFUSED):
        if state in states:
            return IntentState.UNKNOWN if state is IntentState.PREPARED else state
    return next(iter(states), IntentState.NOT_SENT)
