"""What a file holds and what taking it would change, before anything is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date

from services.portfolio.charges.kinds import LINES
from services.portfolio.lots.fills import Fill
from services.portfolio.money import rupees_of_units
from services.portfolio.readers.contract_notes import NoteTotals
from services.portfolio.readers.rows import Reading, Refused
from services.portfolio.records import FileKind, ImportedFile, StoredNote

Identity = tuple[str, str, date, str, str, str]
"""As `Fill.identity`."""
Told = tuple[int, int, int]
"""Quantity, price in ten-thousandths of a rupee, multiplier."""
NoteIdentity = tuple[str, str, date | None, str]
"""Account, name, day, segment."""
Figures = tuple[int | None, ...]
SHOWN = 100
"""Conflicts that are told one by one."""


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What a file holds and what taking it would change. Nothing is stored yet."""

    kind: FileKind
    name: str
    account: str
    """Whose rows they will be; empty: the file names the account in each row."""
    source: str
    """Whose file it is, in words."""
    digest: str
    size: int
    taken: int
    """Rows that can be used, `known` and `repeated` included."""
    known: int
    """Of those, trades (or notes) that are known already: from another file, the desk or the broker."""
    repeated: int
    """Of those, rows that tell once more what another row of this very file tells."""
    conflicts: tuple[str, ...]
    """Trades that are known otherwise (another quantity or price), in words; the first 100. They will be flagged."""
    conflicting: int
    """How many of them there are."""
    refused: tuple[Refused, ...]
    """Every row that was not taken: line, reason, beginning of its text."""
    first: date | None
    last: date | None
    symbols: tuple[str, ...]
    accounts: tuple[str, ...]
    already: ImportedFile | None
    """This very file is in the ledger already: taking it again changes nothing."""
    fills: tuple[Fill, ...] = field(repr=False)
    notes: tuple[NoteTotals, ...] = field(repr=False)

    @property
    def new(self) -> int:
        """Trades or notes that would be added."""
        return self.taken - self.known - self.repeated


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file before its rows are compared."""

    name: str
    account: str
    digest: str
    size: int
    already: ImportedFile | None


class _Compared:
    """Counts rows of one file against what is known and against each other."""

    def __init__(self) -> None:
        self.known = self.repeated = self.conflicting = 0
        self.conflicts: list[str] = []

    def conflict(self, words: str) -> None:
        self.conflicting += 1
        if len(self.conflicts) < SHOWN:
            self.conflicts.append(words)


def preview_of_trades(
    reading: Reading[Fill], facts: FileFacts, imported: Mapping[Identity, Told], elsewhere: Set[Identity]
) -> ImportPreview:
    """`imported`: the trades of other files in these days; `elsewhere`: what the desk knows without files."""
    counts, here = _Compared(), dict[Identity, Told]()
    for fill in reading.taken:
        identity, told = fill.identity, (fill.quantity, fill.price, fill.multiplier)
        first = here.setdefault(identity, told)
        if first is not told:
            counts.repeated += 1
            if first != told:
                counts.conflict(_words(fill, first, "in another line of this file"))
            continue
        before = imported.get(identity)
        if before is not None or identity in elsewhere:
            counts.known += 1
        if before is not None and before != told:
            counts.conflict(_words(fill, before, "in a file that is here"))
    days = [fill.day for fill in reading.taken]
    return ImportPreview(
        FileKind.TRADES, facts.name, facts.account, reading.source, facts.digest, facts.size, len(reading.taken),
        counts.known, counts.repeated, tuple(counts.conflicts), counts.conflicting, reading.refused,
        min(days, default=None), max(days, default=None), tuple(sorted({fill.symbol for fill in reading.taken})),
        tuple(sorted({fill.account for fill in reading.taken})), facts.already, reading.taken, (),
    )  # fmt: skip


def preview_of_notes(reading: Reading[NoteTotals], facts: FileFacts, imported: Iterable[StoredNote]) -> ImportPreview:
    """`imported`: the notes of all files."""
    before = {note_identity(note.account, note.totals): figures_of(note.totals) for note in imported}
    counts, here = _Compared(), set[tuple[NoteIdentity, Figures]]()
    for note in reading.taken:
        identity, figures = note_identity(facts.account, note), figures_of(note)
        if (identity, figures) in here:
            counts.repeated += 1
            continue
        here.add((identity, figures))
        if before.get(identity) == figures:
            counts.known += 1
        elif identity in before:
            counts.conflict(f"note {_named(note)} is known with other figures; those of this file will count")
    days = [note.day for note in reading.taken if note.day is not None]
    return ImportPreview(
        FileKind.NOTES, facts.name, facts.account, reading.source, facts.digest, facts.size, len(reading.taken),
        counts.known, counts.repeated, tuple(counts.conflicts), counts.conflicting, reading.refused,
        min(days, default=None), max(days, default=None), (), (facts.account,) if reading.taken else (),
        facts.already, (), reading.taken,
    )  # fmt: skip


def note_identity(account: str, note: NoteTotals) -> NoteIdentity:
    """Equal for two tellings of one note."""
    return account, note.name, note.day, note.segment


def figures_of(note: NoteTotals) -> Figures:
    return (*(note.lines.get(line) for line in LINES), note.obligation, note.net)


def _words(fill: Fill, other: Told, where: str) -> str:
    quantity, price, _ = other
    return (
        f"trade {fill.trade_id} of {fill.day:%Y-%m-%d} ({fill.symbol}, {fill.side.value.lower()}): "
        f"{fill.quantity:,} at ₹{_rupees(fill.price)} here, {quantity:,} at ₹{_rupees(price)} {where}"
    )


def _rupees(units: int) -> str:
    return f"{rupees_of_units(units).normalize():,f}"


def _named(note: NoteTotals) -> str:
    return note.name or (f"of {note.day:%Y-%m-%d}" if note.day else "without name and day")
