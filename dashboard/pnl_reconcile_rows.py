"""Ours beside the broker's as rows, and in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.formatting import MISSING, quantity
from dashboard.pnl_instruments import contract_words, expiry_of
from dashboard.pnl_markup import Cell, Head, Row, Tone
from dashboard.pnl_record_words import SEGMENT_NAMES, plural
from dashboard.pnl_words import LINE_NAMES, money, price, signed_money
from services.pnl.comparisons import NoteCheck, PositionCheck, SpanCheck
from services.portfolio.charges.kinds import LINES
from services.portfolio.reconcile import Cause, Difference

HEADS = (
    Head("Line", number=False),
    Head("Ours"),
    Head("Broker"),
    Head("Difference"),
    Head("Likely cause", words=True),
)
NOTE_HEADS = (HEADS[0], HEADS[1], Head("Note"), *HEADS[3:])
POSITION_HEADS = (
    Head("Instrument", number=False),
    Head("Held, by trades"),
    Head("Broker"),
    Head("Result, by trades"),
    Head("Broker"),
    Head("Likely cause", words=True),
)
_AGREES = Cell("agrees", Tone.GOOD)


@dataclass(frozen=True, slots=True)
class Verdict:
    """In a word or two, and a colour beside it."""

    words: str
    colour: str
    icon: str


def span_title(span: SpanCheck) -> str:
    return f"{SEGMENT_NAMES.get(span.segment, span.segment)}, FY {span.year}"


def span_verdict(span: SpanCheck) -> Verdict:
    """Does it agree?"""
    broker = span.broker
    if not broker.told:
        return Verdict("The broker has not told it", "orange", ":material/cloud_off:")
    if broker.gross is None and not broker.charges:
        return Verdict("Nothing told yet", "orange", ":material/help:")
    off = [one for one in span.differences if one.cause not in {Cause.NONE, Cause.ROUNDING}]
    rounded = [one for one in span.differences if one.cause is Cause.ROUNDING]
    if span.gross_off_by or off:
        count = len(off) + bool(span.gross_off_by)
        return Verdict(f"{plural(count, 'line')} differ{'s' if count == 1 else ''}", "orange", ":material/difference:")
    if not broker.charges:
        return Verdict("P&L agrees, charges not told", "orange", ":material/help:")
    if rounded:
        return Verdict("Agrees but for rounding", "green", ":material/check:")
    return Verdict("Agrees to the paisa", "green", ":material/check:")


def span_rows(span: SpanCheck) -> tuple[list[Row], Row]:
    """P&L, then each charge; and the total of charges."""
    broker = span.broker
    rows: list[Row] = [
        _row("P&L before charges", span.gross, broker.gross, span.gross_cause, small=plural(span.matches, "closed lot"))
    ]
    if span.differences:
        rows += [_difference(one) for one in span.differences if one.ours or one.theirs]
    else:
        rows += [
            _row(LINE_NAMES[line], span.charges_traded.of(line), None, "")
            for line in LINES
            if span.charges_traded.of(line)
        ]
    if broker.others:
        rows.append(
            (
                Cell("Others"), MISSING, money(broker.others), signed_money(-broker.others),
                "charges that the broker books under no line: fees of orders it placed, for example",
            )
        )  # fmt: skip
    total = _row("Charges", span.charges_traded.total, broker.charges_total, "", small="of everything traded")
    return rows, total


def note_title(check: NoteCheck) -> str:
    return " · ".join(part for part in (check.name or "Contract note", check.segment) if part)


def note_verdict(check: NoteCheck) -> Verdict:
    if check.ours is None:
        return Verdict("Nothing of ours beside it", "orange", ":material/help:")
    off = [one for one in check.differences if one.cause not in {Cause.NONE, Cause.ROUNDING, Cause.NOT_TOLD}]
    if off:
        return Verdict(
            f"{plural(len(off), 'line')} differ{'s' if len(off) == 1 else ''}", "orange", ":material/difference:"
        )
    return Verdict("Agrees", "green", ":material/check:")


def note_rows(check: NoteCheck) -> list[Row]:
    """Each line of the note."""
    if check.ours is not None:
        return [_difference(one) for one in check.differences if one.ours or one.theirs]
    told = [(line, check.told.get(line)) for line in LINES]
    return [_row(LINE_NAMES[line], None, amount, "") for line, amount in told if amount is not None]


def position_rows(checks: Sequence[PositionCheck]) -> list[Row]:
    """What is open or was traded today: by our trades, and by the broker's positions and holdings."""
    return [
        (
            Cell(_who(check), small="" if check.price is None else f"at {price(check.price)}"),
            quantity(check.quantity),
            MISSING if check.broker_quantity is None else quantity(check.broker_quantity),
            signed_money(check.result),
            signed_money(check.broker_result),
            Cell(check.words, Tone.WARN) if check.words else _AGREES,
        )
        for check in checks
    ]


def _who(check: PositionCheck) -> str:
    """The symbol; of a contract all that tells it from others."""
    return check.symbol if expiry_of(check.instrument) is None else contract_words(check.instrument)


def _difference(one: Difference) -> Row:
    cause = "" if one.cause is Cause.NONE else f"{one.cause.value}: {one.words}" if one.words else one.cause.value
    if one.cause is Cause.NOT_TOLD:
        cause = "they do not name this line"
    return _row(LINE_NAMES[one.line], one.ours, one.theirs, cause[:1].upper() + cause[1:])


def _row(name: str, ours: int | None, theirs: int | None, words: str, *, small: str = "") -> Row:
    if ours is None or theirs is None:
        apart = Cell(MISSING, Tone.MUTED)
    elif ours == theirs:
        apart = _AGREES
    else:
        apart = Cell(signed_money(ours - theirs), Tone.WARN)
    return (Cell(name, small=small), money(ours), money(theirs), apart, words)


def gap_words(check: NoteCheck) -> str:
    """What a note says that does not fit itself."""
    if not check.off_by:
        return ""
    return f"The note's own figures miss each other by {money(abs(check.off_by))}."
