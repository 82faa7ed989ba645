"""What of the results is looked at: period, segment, finer filters, and what is open on the page. All of it is in the
link, so that a bookmark keeps it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from services.portfolio.closed import financial_year
from services.portfolio.lots.terms import Bucket


class Period(StrEnum):
    """Which days count, by the day of the closing."""

    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    YEAR = "fy"
    LAST_YEAR = "last-fy"
    ALL = "all"
    DATES = "dates"


class Behind(StrEnum):
    """A figure of the headline that is opened, to see what it is made of."""

    GROSS = "gross"
    CHARGES = "charges"
    NET = "net"
    UNREALISED = "unrealised"


class Outcome(StrEnum):
    """Which closed trades the table shows."""

    ALL = "all"
    WON = "won"
    LOST = "lost"
    DOUBTFUL = "doubtful"
    NOTED = "noted"


SEGMENTS = {"": "All", "EQ": "Equity", "FO": "F&O", "COM": "Commodity", "CD": "Currency"}
"""In the broker's words, and in people's."""
SORTS = (
    "closed", "opened", "symbol", "segment", "product", "side", "quantity", "buy", "sell", "gross", "charges", "net",
    "days",
)  # fmt: skip
EVERY_ACCOUNT = "*"
NAMES = (
    "period", "from", "to", "segment", "account", "symbol", "product", "bucket", "behind", "trades", "find", "sort",
    "page", "trade", "capital",
)  # fmt: skip
"""The members of a link."""
_USUAL_SORT = "closed-down"
_LONGEST = 64
"""Letters of a word of the link that is taken as it comes."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is looked at. `first`, `last`: of the period `DATES`."""

    period: Period = Period.ALL
    first: date | None = None
    last: date | None = None
    segment: str = ""
    account: str = ""
    symbol: str = ""
    product: str = ""
    bucket: str = ""
    behind: Behind | None = None
    outcome: Outcome = Outcome.ALL
    find: str = ""
    sort: str = "closed"
    down: bool = True
    page: int = 1
    trade: str = ""
    """The closed trade whose lots and charges are open."""
    capital: int = 0
    """Rupees at the start, which percentages need; 0: not told."""

    @property
    def finer(self) -> int:
        """How many of the finer filters are set."""
        return sum(map(bool, (self.account, self.symbol, self.product, self.bucket)))

    def words(self) -> dict[str, str]:
        """As members of a link; what is as usual is left out, but for the period."""
        words = {"period": self.period.value}
        if self.period is Period.DATES:
            words |= {name: day.isoformat() for name, day in (("from", self.first), ("to", self.last)) if day}
        sort = f"{self.sort}-{'down' if self.down else 'up'}"
        plain = {
            "segment": self.segment, "account": self.account, "symbol": self.symbol, "product": self.product,
            "bucket": self.bucket, "behind": self.behind or "", "find": self.find, "trade": self.trade,
            "trades": "" if self.outcome is Outcome.ALL else self.outcome.value,
            "sort": "" if sort == _USUAL_SORT else sort,
            "page": str(self.page) if self.page > 1 else "", "capital": str(self.capital) if self.capital else "",
        }  # fmt: skip
        return words | {name: str(word) for name, word in plain.items() if word}

    def on(self, day: date) -> Choice:
        """The same, of that day alone."""
        return replace(self, period=Period.DATES, first=day, last=day, page=1, trade="")

    def between(self, first: date, last: date) -> Choice:
        return replace(self, period=Period.DATES, first=first, last=last, page=1, trade="")

    def days(self, today: date) -> tuple[date | None, date | None]:
        """First and last day that count; `None`: no end on that side."""
        match self.period:
            case Period.TODAY:
                return today, today
            case Period.WEEK:
                return today - timedelta(days=today.weekday()), today
            case Period.MONTH:
                return today.replace(day=1), today
            case Period.YEAR:
                return year_days(financial_year(today))
            case Period.LAST_YEAR:
                return year_days(financial_year(today.replace(year=today.year - 1, day=1)))
            case Period.DATES:
                return self.first, self.last
        return None, None


def year_days(year: str) -> tuple[date, date]:
    """First and last day of a financial year: `2025-26`."""
    first = int(year[:4])
    return date(first, 4, 1), date(first + 1, 3, 31)


def period_name(period: Period, today: date) -> str:
    """As a button says it: FY 26-27."""
    match period:
        case Period.YEAR | Period.LAST_YEAR:
            first, _ = Choice(period).days(today)
            return f"FY {financial_year(first or today)[2:]}"
    return period.value.capitalize()


def read_choice(words: Mapping[str, str], otherwise: Choice) -> tuple[Choice, tuple[str, ...]]:
    """The choice that a link makes, and what of it makes no sense, in words: that is as in `otherwise` then."""
    problems: list[str] = []
    choice = otherwise
    period = words.get("period", otherwise.period.value)
    if period in list(Period):
        choice = replace(choice, period=Period(period))
    else:
        problems.append(f"{period[:20]!r} is no period: there are {', '.join(Period)}")
    if "from" in words or "to" in words:
        try:
            first, last = (date.fromisoformat(words[name]) if name in words else None for name in ("from", "to"))
        except ValueError:
            problems.append("a day is written as 2026-11-21")
        else:
            if first and last and first > last:
                first, last = last, first
            choice = replace(choice, period=Period.DATES, first=first, last=last)
    segment = words.get("segment", "")
    if segment not in SEGMENTS:
        problems.append(f"{segment[:20]!r} is no segment: there are EQ, FO, COM and CD")
        segment = ""
    bucket = words.get("bucket", "")
    if bucket and bucket not in list(Bucket):
        problems.append(f"{bucket[:20]!r} is no bucket: there are {', '.join(Bucket)}")
        bucket = ""
    sort, _, way = words.get("sort", _USUAL_SORT).rpartition("-")
    if sort not in SORTS or way not in ("up", "down"):
        problems.append(f"{words.get('sort', '')[:20]!r} is nothing to sort by")
        sort, way = "closed", "down"
    return (
        replace(
            choice,
            segment=segment,
            bucket=bucket,
            account=words.get("account", "")[:_LONGEST],
            symbol=words.get("symbol", "")[:_LONGEST],
            product=words.get("product", "")[:_LONGEST],
            behind=Behind(words["behind"]) if words.get("behind") in list(Behind) else None,
            outcome=Outcome(words["trades"]) if words.get("trades") in list(Outcome) else Outcome.ALL,
            find=words.get("find", "")[:_LONGEST],
            sort=sort,
            down=way == "down",
            page=max(1, _whole(words.get("page", ""), 1)),
            trade=words.get("trade", "")[:200],
            capital=_whole(words.get("capital", ""), 0),
        ),
        tuple(problems),
    )


def _whole(word: str, otherwise: int) -> int:
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 13 else otherwise
