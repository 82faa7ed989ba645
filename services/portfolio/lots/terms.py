"""In which bucket a gain falls, by the rule of the law and not by 365 days."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from services.portfolio.lots.fills import Asset, Flags, Ints


class Bucket(StrEnum):
    """How the tax law sees a gain."""

    INTRADAY = "intraday"
    """Speculative business: shares bought and sold the same day."""
    SHORT_TERM = "short term"
    LONG_TERM = "long term"
    """Held for more than twelve months."""
    FUTURES_OPTIONS = "F&O"
    """Business, not speculative."""
    COMMODITY = "commodity"
    CURRENCY = "currency"


BUCKETS = tuple(Bucket)
_OF_CONTRACTS = {
    Asset.FUTURE: Bucket.FUTURES_OPTIONS,
    Asset.OPTION: Bucket.FUTURES_OPTIONS,
    Asset.COMMODITY_FUTURE: Bucket.COMMODITY,
    Asset.COMMODITY_OPTION: Bucket.COMMODITY,
    Asset.CURRENCY_FUTURE: Bucket.CURRENCY,
    Asset.CURRENCY_OPTION: Bucket.CURRENCY,
}


def more_than_twelve_months(bought: Ints, sold: Ints) -> Flags:
    """Is the day of the sale later than the same date a year on? Days since 1970-01-01.

    Bought 2023-03-01 and sold 2024-03-01 is 366 days and not more than twelve months; sold on 2024-03-02 it is. What
    was bought on 29 February completes its twelve months on 28 February.
    """
    days = bought.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    dates = (days - months).astype(np.int64)
    later = months + 12
    last = ((later + 1).astype("datetime64[D]") - later.astype("datetime64[D]")).astype(np.int64) - 1
    anniversary = later.astype("datetime64[D]").astype(np.int64) + np.minimum(dates, last)
    return np.asarray(sold > anniversary)


def buckets(assets: Sequence[Asset], series: Ints, same_day: Flags, bought: Ints, sold: Ints) -> Ints:
    """The bucket of each match, as a number of `BUCKETS`."""
    fixed = np.array(
        [BUCKETS.index(_OF_CONTRACTS[asset]) if asset in _OF_CONTRACTS else -1 for asset in assets], np.int64
    )
    long_term = more_than_twelve_months(bought, sold)
    held = np.where(long_term, BUCKETS.index(Bucket.LONG_TERM), BUCKETS.index(Bucket.SHORT_TERM))
    of_shares = np.where(same_day, BUCKETS.index(Bucket.INTRADAY), held)
    own = fixed[series] if len(assets) else np.zeros(0, np.int64)
    return np.asarray(np.where(own >= 0, own, of_shares))
