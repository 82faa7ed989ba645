"""What the broker itself takes: brokerage for each executed order, and the depository charge. Settings change all."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from services.domain.errors import InvalidRequest, NotPublished
from services.portfolio.charges.kinds import Kind
from services.portfolio.charges.rates import EARLIEST, GST_PERCENT
from services.portfolio.money import price_units, rate_units


@dataclass(frozen=True, slots=True)
class Brokerage:
    """Of one executed order from a day on: `flat` rupees, or `percent` of its value where that is less."""

    since: date
    flat: Decimal
    percent: Decimal | None
    source: str
    confirmed: bool = True

    def __post_init__(self) -> None:
        if price_units(self.flat) < 0:
            raise InvalidRequest("brokerage is not negative")
        if self.percent is not None:
            rate_units(self.percent)

    @property
    def flat_units(self) -> int:
        """In ten-thousandths of a rupee."""
        return price_units(self.flat)

    @property
    def rate(self) -> int | None:
        """In parts of 10⁹."""
        return None if self.percent is None else rate_units(self.percent)


@dataclass(frozen=True, slots=True)
class Fee:
    """Rupees from a day on."""

    since: date
    amount: Decimal
    source: str
    confirmed: bool = True

    @property
    def units(self) -> int:
        return price_units(self.amount)


_HELP = "Upstox help centre and pricing page, 2026"
_TWENTY = Decimal(20)


def _like_futures() -> tuple[Brokerage, ...]:
    return (Brokerage(EARLIEST, _TWENTY, Decimal("0.05"), _HELP),)


def _like_options() -> tuple[Brokerage, ...]:
    return (Brokerage(EARLIEST, _TWENTY, None, _HELP + "; a cap of 2.5% is told by one calculator only"),)


_CASH_DELIVERY = (Brokerage(EARLIEST, _TWENTY, Decimal("2.5"), _HELP),)
_CASH_INTRADAY = (
    Brokerage(EARLIEST, _TWENTY, Decimal("0.05"), "Upstox, older texts"),
    Brokerage(date(2025, 1, 1), _TWENTY, Decimal("0.1"), _HELP + "; the day of the change is not published", False),
)
_NOTHING = (Brokerage(EARLIEST, Decimal(0), None, "no brokerage on an exercise was found", False),)

_STANDARD_BROKERAGE: Mapping[Kind, tuple[Brokerage, ...]] = {
    **dict.fromkeys((kind for kind in Kind if kind.of_shares), _CASH_INTRADAY),
    **dict.fromkeys((kind for kind in Kind if kind.delivered), _CASH_DELIVERY),
    **dict.fromkeys((Kind.FUTURE, Kind.CURRENCY_FUTURE, Kind.COMMODITY_FUTURE), _like_futures()),
    **dict.fromkeys((Kind.OPTION, Kind.CURRENCY_OPTION, Kind.COMMODITY_OPTION), _like_options()),
    **dict.fromkeys((Kind.EXERCISE, Kind.COMMODITY_EXERCISE), _NOTHING),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The account's plan."""

    name: str = "Upstox standard"
    brokerage: Mapping[Kind, tuple[Brokerage, ...]] = field(default_factory=lambda: _STANDARD_BROKERAGE)
    depository: tuple[Fee, ...] = (
        Fee(EARLIEST, Decimal("18.5"), "sample of the Upstox API, plan DP3A"),
        Fee(date(2025, 4, 1), _TWENTY, "Upstox pricing page, 2026; the day of the change is not published", False),
    )
    """For each scrip and day on which shares leave the demat account, before GST."""
    assisted: tuple[Fee, ...] = (
        Fee(EARLIEST, Decimal(50), "Upstox help centre, undated: square-off by the broker, call and trade", False),
    )
    """On top of the brokerage of an order that the broker's people or risk system placed."""
    gst_percent: Decimal = GST_PERCENT
    gst_on_sebi: bool = True
    """The help centre and real contract notes count the SEBI fee in; the pricing page does not."""
    gst_on_dp: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.gst_percent <= 100 or self.gst_percent != int(self.gst_percent):
            raise InvalidRequest("GST is a whole number of percent")

    def brokerage_of(self, kind: Kind, on: date) -> Brokerage:
        """`NotPublished` before the plan's first day."""
        rules = self.brokerage.get(kind, ())
        place = bisect_right([rule.since for rule in rules], on)
        if place == 0:
            raise NotPublished(f"the plan {self.name!r} tells no brokerage for {kind.value} on {on:%Y-%m-%d}")
        return rules[place - 1]

    def depository_of(self, on: date) -> Fee:
        return self._fee(self.depository, "depository charge", on)

    def assisted_of(self, on: date) -> Fee:
        return self._fee(self.assisted, "fee for assisted orders", on)

    @property
    def changes(self) -> tuple[date, ...]:
        """Days on which anything of the plan changes."""
        rules = [rule.since for one in self.brokerage.values() for rule in one]
        return tuple(sorted({*rules, *(fee.since for fee in (*self.depository, *self.assisted))}))

    def with_brokerage(self, kinds: Iterable[Kind], rule: Brokerage, name: str | None = None) -> Plan:
        """`rule` for `kinds` from its day on, also where the plan has later ones: settings come last."""
        changed = {
            kind: (*(old for old in self.brokerage.get(kind, ()) if old.since < rule.since), rule) for kind in kinds
        }
        return replace(self, brokerage={**self.brokerage, **changed}, name=name or self.name)

    def _fee(self, fees: tuple[Fee, ...], what: str, on: date) -> Fee:
        place = bisect_right([fee.since for fee in fees], on)
        if place == 0:
            raise NotPublished(f"the plan {self.name!r} tells no {what} on {on:%Y-%m-%d}")
        return fees[place - 1]


STANDARD_PLAN = Plan()
PLUS_PLAN = STANDARD_PLAN.with_brokerage(
    (Kind.OPTION, Kind.CURRENCY_OPTION, Kind.COMMODITY_OPTION),
    Brokerage(EARLIEST, Decimal(30), None, "public code that cites the pricing page, 2026", False),
    name="Upstox Plus",
)
