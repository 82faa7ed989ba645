"""Files of trades and of contract-note totals: looked over first, then taken, and given back as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import PurePath

from services.domain.actors import Actor, require_trader
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.ledger.engine import Ledger
from services.ledger.imported_files import ImportedFiles, NewFile
from services.pnl.previews import (
    Figures,
    FileFacts,
    Identity,
    ImportPreview,
    NoteIdentity,
    figures_of,
    note_identity,
    preview_of_notes,
    preview_of_trades,
)
from services.portfolio.lots.fills import Fill
from services.portfolio.readers.contract_notes import NoteTotals, are_contract_notes, read_contract_notes
from services.portfolio.readers.decoding import text_of_file
from services.portfolio.readers.rows import Reading, other_separator
from services.portfolio.readers.tradebooks import OURS, UPSTOX, ZERODHA, read_tradebook, source_of
from services.portfolio.records import FileKind, ImportedFile, StoredNote

__all__ = ["FOREIGN", "LARGEST", "ImportPreview", "ImportResult", "Imports"]

LARGEST = 50 * 1024 * 1024
"""Bytes of one file."""
FOREIGN = "Zerodha"
"""Whose trades are those of Zerodha's file, unless somebody names the account."""
MAX_ACCOUNT = 80
_READING = 0.85
"""The share of reading in the work of a preview."""

Progress = Callable[[float], None]
"""Told the share that is done, 0 to 1, now and then."""


def _nobody(share: float) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What taking a file did. `file`: as it is kept; `added` is 0 if it was there already."""

    file: ImportedFile
    added: int
    known: int
    refused: int


class Imports:
    """The imported files of one ledger."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        *,
        account: Callable[[], str],
        known: Callable[[], Set[Identity]] = frozenset,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`account`: the running account, whose trades a file of Upstox holds. `known`: identities of the trades that
        the desk knows without any file. `changed`: told after the ledger's files have changed."""
        self._files = ImportedFiles(ledger, clock)
        self._account = account
        self._known = known
        self._changed = changed

    def preview(self, data: bytes, name: str, *, account: str = "", progress: Progress = _nobody) -> ImportPreview:
        """Look `data` over, the bytes of a file called `name`. Stores nothing.

        `account`: whose rows they are; empty: the running account for Upstox's own history and for notes, "Zerodha" for
        Zerodha's tradebook (another demat account is another queue of lots); our own tradebook names it in each row.
        Raises `InvalidRequest`, in the user's words, for a file that is no such table at all: empty, too large, an
        Excel workbook, a PDF, not UTF-8, no heading that is known, or not a single row below it.
        """
        name, account = _file_name(name), account.strip()
        if len(account) > MAX_ACCOUNT or not account.isprintable():
            raise InvalidRequest(f"the name of an account has at most {MAX_ACCOUNT} letters")
        try:
            found = self._looked_over(data, name, account, progress)
        except InvalidRequest as error:
            raise InvalidRequest(f"{name}: {error}") from error
        progress(1.0)
        return found

    def commit(self, preview: ImportPreview, actor: Actor, *, progress: Progress = _nobody) -> ImportResult:
        """Take the file. The same again, by whomever, changes nothing. Orders do not wait for it: the rows are written
        in portions and count only when all of them are there; a kill in between leaves nothing that counts.

        Raises `InvalidRequest` if no row can be used, `StorageError` if the disk refuses: then nothing was taken.
        """
        require_trader(actor)
        rows: Sequence[Fill | NoteTotals] = preview.fills if preview.kind is FileKind.TRADES else preview.notes
        if not rows:
            raise InvalidRequest(f"{preview.name}: no row can be used, there is nothing to take")
        new = NewFile(
            preview.kind, preview.account, preview.name, preview.source, preview.digest, preview.size, len(rows),
            len(preview.refused), len(preview.symbols), preview.first, preview.last,
        )  # fmt: skip
        file, added = self._files.add(new, rows, actor, progress)
        if not added:
            return ImportResult(file, 0, preview.taken, file.refused)
        self._changed()
        return ImportResult(file, preview.new, preview.known, len(preview.refused))

    def remove(self, file_id: int, actor: Actor, *, progress: Progress = _nobody) -> ImportedFile:
        """Give a file's rows back; trades that another file or the desk tells of as well stay known. The audit keeps
        who did it. Raises `InvalidRequest` if there is no such file."""
        require_trader(actor)
        try:
            return self._files.remove(file_id, actor, progress)
        finally:  # it counts no more although its rows may be there still
            self._changed()

    def files(self) -> list[ImportedFile]:
        """All files that count, the newest first."""
        return self._files.all()

    def fills(self, account: str | None = None) -> list[Fill]:
        """The trades of all files, of one account or of all, as the files tell them: two files may tell the same one
        (`lots.fills.unique`)."""
        return self._files.fills(account)

    def notes(self, account: str | None = None) -> list[StoredNote]:
        """The contract-note totals of all files, by day (those without one last); each note once, as the newest file
        tells it."""
        newest: dict[NoteIdentity, int] = {}
        found: dict[tuple[NoteIdentity, Figures], StoredNote] = {}
        for note in self._files.notes(account):
            identity = note_identity(note.account, note.totals)
            if newest.setdefault(identity, note.file_id) == note.file_id:
                found.setdefault((identity, figures_of(note.totals)), note)
        return sorted(found.values(), key=lambda note: (note.totals.day or date.max, note.account, note.totals.name))

    def stamp(self) -> str:
        """Differs as soon as the files do, whichever process changed them. Quick."""
        return self._files.stamp()

    def _looked_over(self, data: bytes, name: str, account: str, progress: Progress) -> ImportPreview:
        text = text_of_file(data, largest=LARGEST)
        lines = text.count("\n") + 1
        source = source_of(text)

        def told(line: int) -> None:
            progress(min(1.0, line / lines) * _READING)

        if not source and not are_contract_notes(text):
            raise InvalidRequest(_no_heading(text))
        whose = account or (FOREIGN if source == ZERODHA else "" if source == OURS else self._account())
        if not whose and source != OURS:
            raise InvalidRequest(_WHOSE)
        digest = sha256(data).hexdigest()
        facts = FileFacts(name, whose, digest, len(data), self._files.find(whose, digest))
        if not source:
            notes = read_contract_notes(text, told=told)
            _insist_on_rows(notes)
            return preview_of_notes(notes, facts, self.notes())
        trades = read_tradebook(text, account=whose, told=told)
        _insist_on_rows(trades)
        if source == OURS and (account or not all(fill.account for fill in trades.taken)):
            trades = replace(trades, taken=tuple(self._owned(fill, account) for fill in trades.taken))
        days = [fill.day for fill in trades.taken]
        imported = dict(self._files.identities(min(days), max(days))) if days else {}
        return preview_of_trades(trades, facts, imported, self._known())

    def _owned(self, fill: Fill, account: str) -> Fill:
        """A trade of our own tradebook in the account that was named, or in the running one if it names none."""
        whose = account or fill.account or self._account()
        if not whose:
            raise InvalidRequest(_WHOSE)
        return replace(fill, account=whose)


_WHOSE = "the desk knows no account of its own yet: log in, or name the account of this file"


def _insist_on_rows(reading: Reading[Fill] | Reading[NoteTotals]) -> None:
    if not reading.taken and not reading.refused:
        raise InvalidRequest(f"the {reading.source} has a heading and not a single row")


def _no_heading(text: str) -> str:
    if words := other_separator(text):
        return f"the columns are separated by {words}: save the table as CSV, separated by commas"
    return (
        f"no heading that is known in the first 40 lines. What can be read: a tradebook of {OURS}, {UPSTOX}, "
        f"{ZERODHA} (CSV), or a table of contract-note totals (trade_date, brokerage, gst, stt, stamp_duty)"
    )


def _file_name(name: str) -> str:
    """The last part of whatever the browser tells, fit to be shown."""
    plain = PurePath(name.replace("\\", "/")).name
    return "".join(letter for letter in plain if letter.isprintable()).strip()[:200] or "the file"
