"""`python -m services retention [apply]`: what is kept how long, and letting go of what is past its time."""

from __future__ import annotations

from collections.abc import Sequence

from services.commands.command import DONE, ended, parser, runtime_of
from services.commands.telling import note, say_json, say_table
from services.measures.checks import size
from services.runtime.retention import Kept, apply, kept, replays_own

VERB = "retention"
_HEADS = ("what", "kept", "now", "size", "oldest (IST)", "past its time")


def main(words: Sequence[str]) -> int:
    """Looks only, unless told `apply`."""
    made = parser(
        VERB,
        "What the desk keeps, how long and how much it is now. `apply` lets go of what is past its time at once, as "
        "housekeeping would; the ledger, tokens, the paper account and copies are never touched. The desk may run.",
    )
    made.add_argument("order", nargs="?", choices=("apply",), help="do it; without this it is only told")
    given = made.parse_args(words)

    def tell() -> int:
        with runtime_of(given) as runtime:
            before = kept(runtime)
            if given.order == "apply":
                apply(runtime)
            after = kept(runtime) if given.order == "apply" else before
            replayed = replays_own(runtime)
        if given.json:
            say_json(
                {"applied": given.order == "apply", "kept": [_told(*pair) for pair in zip(before, after, strict=True)]}
            )
            return DONE
        say_table(_HEADS, [_row(one) for one in after])
        if given.order == "apply":
            for old, new in zip(before, after, strict=True):
                if old.goes and new.amount.items != old.amount.items:
                    note(f"{old.what}: {old.amount.items:,} before, {new.amount.items:,} now")
        elif any(one.goes and one.amount.past for one in before):
            note("what is past its time goes by itself while a desk runs; now: python -m services retention apply")
        if replayed:
            note("recordings stay: the paper broker replays one of them")
        return DONE

    return ended(VERB, tell)


def _row(one: Kept) -> tuple[object, ...]:
    amount = one.amount
    return (
        one.what,
        one.rule,
        f"{amount.items:,} {one.unit[:-1] if amount.items == 1 else one.unit}",
        None if amount.bytes is None else size(amount.bytes),
        amount.oldest,
        f"{amount.past:,}" if one.goes else None,
    )


def _told(old: Kept, new: Kept) -> dict[str, object]:
    amount = new.amount
    return {
        "what": new.what,
        "rule": new.rule,
        "unit": new.unit,
        "items": amount.items,
        "items_before": old.amount.items,
        "bytes": amount.bytes,
        "oldest": amount.oldest,
        "past": amount.past if new.goes else None,
    }
