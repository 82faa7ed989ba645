"""All sources of trades made into one book, each fill once, in the account that it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from services.domain.clock import Clock, ist_date
from services.domain.instruments import Instrument
from services.domain.paper_accounts import AccountMark
from services.ledger.told_trades import ToldTrade, ToldTrades
from services.pnl.actions import Actions
from services.pnl.gathering import Gathered, Gatherer
from services.pnl.imports import Imports
from services.pnl.kept import KeptBook
from services.pnl.previews import Identity
from services.pnl.rates import ChargeRates
from services.pnl.values import Origin, SourceLine
from services.portfolio.lots.fills import Fill
from services.portfolio.records import FileKind, ImportedFile

Stamp = tuple[object, ...]
_NAMED = 10
"""Reasons why trades are left out that are told one by one."""


@dataclass(frozen=True, slots=True)
class Built:
    """The book, and where it came from."""

    kept: KeptBook
    stamp: Stamp
    version: int
    sources: tuple[SourceLine, ...] = ()
    missing: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    """Instrument keys, as they were traded last."""
    known: frozenset[Identity] = frozenset()
    """Fills that are known without any file."""
    settings: str = ""
    """The version of rates and plan."""
    seconds: float = 0.0

    def timed(self, seconds: float) -> Built:
        """The same, with how long it took."""
        return replace(self, seconds=seconds)


class Builder:
    """Builds when it is told to, in the caller's thread; one at a time."""

    def __init__(
        self,
        *,
        trades: ToldTrades,
        imports: Imports,
        actions: Actions,
        rates: ChargeRates,
        find: Callable[[str], Instrument | None],
        marks: Callable[[], Sequence[AccountMark]] | None,
        name_of: Callable[[int], str],
        clock: Clock,
    ) -> None:
        """`marks`: the accounts of a paper broker, one after the other; `None`: there is one account for ever.
        `name_of` tells the name of such an account by its number."""
        self._trades = trades
        self._imports = imports
        self._actions = actions
        self._rates = rates
        self._marks = marks
        self._name_of = name_of
        self._clock = clock
        self._gatherer = Gatherer(find)
        self._told: tuple[Stamp, Gathered] | None = None
        self._files: tuple[str, list[ImportedFile], list[Fill]] | None = None

    def stamp(self, account: str, changes: int) -> Stamp:
        """Differs as soon as another book would come of it. Quick."""
        return (
            self._trades.stamp(), self._imports.stamp(), self._actions.stamp(), self._rates.stamp(), account, changes,
            ist_date(self._clock.now()),
        )  # fmt: skip

    def build(self, stamp: Stamp, account: str, version: int) -> Built:
        """The book of now. Raises `StorageError` where what is stored cannot be read."""
        today = ist_date(self._clock.now())
        gathered = self._gathered(stamp, account, today)
        files, from_files = self._from_files()
        settings = self._rates.current()
        kept = KeptBook.of(
            [*gathered.fills, *from_files],
            [stored.action for stored in self._actions.all()],
            settlements={one.instrument: one.price for one in self._actions.settlements()},
            as_of=today,
            rates=settings.rates,
            plan=settings.plan,
        )
        return Built(
            kept,
            stamp,
            version,
            sources=(*_sources(gathered), *map(_file_line, files)),
            missing=tuple(_unread(gathered.unread)),
            keys=gathered.keys,
            known=frozenset(fill.identity for fill in gathered.fills),
            settings=settings.version,
        )

    def _gathered(self, stamp: Stamp, account: str, today: date) -> Gathered:
        """The ledger's fills; the same as before if no fill, no account and no day is new."""
        own = (stamp[0], *stamp[4:])
        if self._told is None or self._told[0] != own:
            found = self._gatherer.gather(self._trades.all(), account_of=self._account_of(account), today=today)
            self._trades.describe(found.described)
            self._told = (own, found)
        return self._told[1]

    def _account_of(self, account: str) -> Callable[[ToldTrade], str]:
        if self._marks is None:
            return lambda one: one.account or account
        marks = list(self._marks())
        names = {mark.number: self._name_of(mark.number) for mark in marks}
        first = self._name_of(1)

        def of(one: ToldTrade) -> str:
            if one.account:
                return one.account
            if not one.order_id:
                return account
            later = [mark.number for mark in marks if not mark.is_before(one.order_id)]
            return names[max(later)] if later else first

        return of

    def _from_files(self) -> tuple[list[ImportedFile], list[Fill]]:
        stamp = self._imports.stamp()
        if self._files is None or self._files[0] != stamp:
            self._files = (stamp, self._imports.files(), self._imports.fills())
        return self._files[1], self._files[2]


def _sources(gathered: Gathered) -> list[SourceLine]:
    """One line for each account and origin."""
    sums: dict[tuple[str, Origin], list[date]] = {}
    for fill, origin in zip(gathered.fills, gathered.origins, strict=True):
        sums.setdefault((fill.account, origin), []).append(fill.day)
    return [
        SourceLine(origin, "", account, len(days), min(days), max(days), None)
        for (account, origin), days in sorted(sums.items())
    ]


def _file_line(file: ImportedFile) -> SourceLine:
    account = file.account
    trades = file.taken if file.kind is FileKind.TRADES else 0
    return SourceLine(Origin.FILE, file.name, account, trades, file.first, file.last, file.imported_at, file.refused)


def _unread(unread: Sequence[tuple[ToldTrade, str]]) -> list[str]:
    reasons: dict[str, int] = {}
    for _, why in unread:
        reasons[why] = reasons.get(why, 0) + 1
    ranked = sorted(reasons.items(), key=lambda item: -item[1])
    words = [f"{count} trade{'s' if count > 1 else ''} cannot be counted in: {why}" for why, count in ranked[:_NAMED]]
    rest = sum(count for _, count in ranked[_NAMED:])
    return [*words, f"{rest} more trades cannot be counted in, for other reasons"] if rest else words
