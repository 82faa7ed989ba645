"""The instrument master: the broker's daily files, kept here, looked up by key and searched by symbol, name or ISIN.

A file is fetched at most once a day, after 06:00 IST when the broker has rebuilt it. While that fails the copy of
before serves on, and `state()` says so.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from threading import Lock
from typing import Any, Protocol

import ijson

from services.domain.clock import IST, Clock, epoch_ms, from_epoch_ms, ist_date
from services.domain.errors import MalformedPayload, StorageError, UnknownInstrument, UpstoxError
from services.domain.instrument_search import parse_query
from services.domain.instruments import Instrument, Underlying, is_instrument_key
from services.storage.instrument_store import FileRecord, InstrumentStore
from services.storage.pool import Pool
from services.wire.instruments import parse_instrument

FILES = ("NSE", "BSE", "MCX")
REBUILT_AT = time(6, 0)
"""IST. The broker makes the files anew at about this time."""
RETRY_AFTER = timedelta(minutes=5)
"""A failed download is tried again this much later, not at every look-up."""
_READ_BYTES = 64 * 1024

log = logging.getLogger(__name__)


class Reader(Protocol):
    """The unpacked bytes of a file, piece by piece."""

    def read(self, size: int = -1, /) -> bytes: ...


class Download(Protocol):
    """Opens a file of the broker: a reader (perhaps with an `etag`), or `None` if `etag` still names its content."""

    def __call__(self, name: str, *, etag: str | None = None) -> AbstractContextManager[Any]: ...


@dataclass(frozen=True, slots=True)
class FileState:
    """One file as it is here. `malformed` rows were left out; the first of them are named, with the reason."""

    file: str
    rows: int
    loaded_at: datetime | None
    checked_at: datetime | None
    error: str | None
    malformed: int
    malformed_rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MasterState:
    """How current the master is. `loading` names the file that is on its way now."""

    files: tuple[FileState, ...]
    rows: int
    loading: str | None

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, in words; empty when all is well."""
        return tuple(f"{file.file}: {file.error}" for file in self.files if file.error)


@dataclass(slots=True)
class _Parsed:
    """Counts what a file could not tell, while it is read."""

    malformed: list[str] = field(default_factory=list)
    good: int = 0


class InstrumentMaster:
    """Look-up and search over the instruments of `files`. Safe to share between threads and processes.

    Nothing is fetched when it is made. The first question to an empty master loads it (and waits for that); after that
    `refresh_if_due` keeps it current, called by whoever has time.
    """

    def __init__(self, *, pool: Pool, download: Download, clock: Clock, files: Iterable[str] = FILES) -> None:
        self._store = InstrumentStore(pool)
        self._download = download
        self._clock = clock
        self._files = tuple(files)
        self._refreshing = Lock()  # one refresh at a time; held across the download, by those who wait for it only
        self._loading: str | None = None
        self._has_rows = False
        self._retry_at: dict[str, datetime] = {}
        self._last_error: UpstoxError | None = None
        self._untold: dict[str, str] = {}  # why a file failed, where the disk would not even take the reason

    # -- questions ---------------------------------------------------------------------------------------------

    def find(self, key: str) -> Instrument | None:
        """The instrument of `key`; `None` if no file holds it. Raises only if there is no master at all."""
        self._need_rows()
        return self._store.get(key)

    def get(self, key: str) -> Instrument:
        """The instrument of `key`; raises `UnknownInstrument`."""
        found = self.find(key)
        if found is None:
            raise UnknownInstrument(f"{str(key)[:60]!r} is not in the instrument master")
        return found

    def many(self, keys: Iterable[str]) -> dict[str, Instrument]:
        """Those of `keys` that exist, in the order asked."""
        self._need_rows()
        return self._store.many(keys)

    def search(self, text: str, *, limit: int = 20) -> list[Instrument]:
        """What a trader may mean by `text`, likeliest first: symbol, name, ISIN, key, contract (`nifty 25000 ce nov`).

        Case and punctuation do not matter. Something named exactly comes with its next contracts below it; expired
        contracts come last. Empty = nothing is called so; a master that could not be loaded raises instead.
        """
        self._need_rows()
        wanted = text.strip()
        if is_instrument_key(wanted) and (direct := self._store.get(wanted)) is not None:
            return [direct]
        return self._store.search(parse_query(wanted), today=ist_date(self._clock.now()), limit=limit)

    def with_options(self) -> list[Underlying]:
        """Everything that has options which have not expired, the likeliest first: indices, then shares, then the
        rest."""
        self._need_rows()
        return self._store.with_options(today=ist_date(self._clock.now()))

    def option_expiries(self, underlying: Underlying) -> list[date]:
        """The expiries of its options from today on, ascending, as the master lists them: none is derived."""
        self._need_rows()
        return self._store.option_expiries(underlying, today=ist_date(self._clock.now()))

    def options(self, underlying: Underlying, expiry: date) -> list[Instrument]:
        """Its options of one expiry by strike, calls before puts."""
        self._need_rows()
        return self._store.options(underlying, expiry)

    def shares_with_contracts(self, segment: str = "NSE_EQ") -> list[str]:
        """Keys of the shares of `segment` that derivatives are written on, by symbol."""
        self._need_rows()
        return self._store.shares_with_contracts(segment)

    def indices(self, segment: str = "NSE_INDEX") -> list[str]:
        """Keys of the indices of `segment`, those that derivatives are written on first."""
        self._need_rows()
        return self._store.indices(segment)

    def state(self) -> MasterState:
        """How current each file is, and what failed."""
        known = self._store.files()
        files = tuple(self._file(file, known.get(file)) for file in (*self._files, *(known.keys() - set(self._files))))
        return MasterState(files, sum(file.rows for file in files), self._loading)

    def _file(self, file: str, record: FileRecord | None) -> FileState:
        state = _file_state(file, record)
        untold = self._untold.get(file)
        return state if untold is None else replace(state, error=untold)

    # -- keeping it current ------------------------------------------------------------------------------------

    def refresh_if_due(self) -> None:
        """Fetch each file that is missing or older than the last 06:00 IST. Blocks while it loads; returns at once if
        somebody else is at it. Failures are logged and kept in `state()`; the old rows stay."""
        if self._refreshing.acquire(blocking=False):
            try:
                self._refresh(self._clock.now())
            finally:
                self._refreshing.release()

    def _need_rows(self) -> None:
        """Load the master if there is nothing at all; raise if there is still nothing after that."""
        if self._has_rows:
            return
        if not any(record.rows for record in self._store.files().values()):
            with self._refreshing:  # whoever comes second waits for the first one's load
                if not any(record.rows for record in self._store.files().values()):
                    self._refresh(self._clock.now())
                    if not any(record.rows for record in self._store.files().values()):
                        error = self._last_error or UnknownInstrument("the instrument master holds no files")
                        raise error.with_traceback(None)  # told again and again: each time would add its frames
        self._has_rows = True

    def _refresh(self, now: datetime) -> None:
        known = self._store.files()
        for file in self._files:
            if self._is_due(known.get(file), now) and now >= self._retry_at.get(file, now):
                self._loading = file
                try:
                    self._fetch(file, known.get(file))
                except UpstoxError as error:
                    log.warning("instrument file %s was not refreshed: %s", file, error)
                    self._last_error = error
                    self._retry_at[file] = now + RETRY_AFTER
                    self._write_down(file, str(error))
                finally:
                    self._loading = None

    def _write_down(self, file: str, why: str) -> None:
        """Keep why `file` failed; in memory, if the disk that failed cannot take that either."""
        try:
            self._store.failed(file, why)
        except (StorageError, sqlite3.Error) as trouble:
            log.warning("the failure of instrument file %s could not be stored: %s", file, trouble)
            self._untold[file] = why
        else:
            self._untold.pop(file, None)

    def _is_due(self, record: FileRecord | None, now: datetime) -> bool:
        if record is None or record.checked_at_ms is None or not record.rows:
            return True
        checked = from_epoch_ms(record.checked_at_ms)
        return checked < _last_rebuild(now) or checked > now  # the latter: a clock that was set back, a simulated day

    def _fetch(self, file: str, record: FileRecord | None) -> None:
        etag = record.etag if record is not None and record.rows else None
        with self._download(file, etag=etag) as reader:
            if reader is None:
                self._store.unchanged(file, at_ms=epoch_ms(self._clock.now()))
                self._untold.pop(file, None)
                log.info("instrument file %s has not changed", file)
            else:
                self._load(reader, file, etag=getattr(reader, "etag", None))

    def _load(self, reader: Reader, file: str, *, etag: str | None) -> None:
        parsed = _Parsed()
        rows = self._store.replace_file(
            file,
            _instruments(reader, file, parsed),
            at_ms=epoch_ms(self._clock.now()),
            etag=etag,
            malformed=parsed.malformed,
        )
        self._retry_at.pop(file, None)
        self._untold.pop(file, None)
        log.info("instrument file %s: %d rows loaded, %d malformed", file, rows, len(parsed.malformed))


def _instruments(reader: Reader, file: str, parsed: _Parsed) -> Iterator[Instrument]:
    """The instruments of a JSON array, one at a time. A row that cannot be read is noted and left out; a file that is
    no such array, or that mostly cannot be read, is refused as a whole."""
    try:
        for place, row in enumerate(ijson.items(reader, "item", use_float=True, buf_size=_READ_BYTES)):
            try:
                if not isinstance(row, dict):
                    raise MalformedPayload("not an object", field=f"row {place}")
                instrument = parse_instrument(row)
            except MalformedPayload as error:
                parsed.malformed.append(
                    f"row {place}: {error} ({error.field})" if error.field else f"row {place}: {error}"
                )
            else:
                parsed.good += 1
                yield instrument
    except ijson.JSONError as error:
        raise MalformedPayload(f"the instrument file {file} is not a JSON array: {error}", field=file) from error
    if parsed.good == 0 or len(parsed.malformed) > parsed.good:
        raise MalformedPayload(
            f"the instrument file {file} holds {parsed.good} readable and {len(parsed.malformed)} unreadable rows",
            field=file,
        )


def _last_rebuild(now: datetime) -> datetime:
    """The latest 06:00 IST that has passed."""
    local = now.astimezone(IST)
    rebuilt = datetime.combine(local.date(), REBUILT_AT, IST)
    return rebuilt if rebuilt <= local else rebuilt - timedelta(days=1)


def _file_state(file: str, record: FileRecord | None) -> FileState:
    if record is None:
        return FileState(file, 0, None, None, None, 0, ())
    return FileState(
        file=file,
        rows=record.rows,
        loaded_at=None if record.loaded_at_ms is None else from_epoch_ms(record.loaded_at_ms),
        checked_at=None if record.checked_at_ms is None else from_epoch_ms(record.checked_at_ms),
        error=record.error,
        malformed=record.malformed,
        malformed_rows=record.malformed_rows,
    )
