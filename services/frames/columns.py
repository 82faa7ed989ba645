"""Columns of exact types: money, instants, counts, texts, and where a frame comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # as above

from services.domain.clock import IST

MONEY = pd.ArrowDtype(pa.decimal128(18, 4))
"""Rupees, exact to a hundredth of a paisa, up to ninety-nine lakh crore."""
INSTANT = pd.DatetimeTZDtype("ms", IST)
COUNT = pd.Int64Dtype()
TEXT = pd.StringDtype()
REAL = np.dtype("float64")
DAY = np.dtype("datetime64[s]")
_PLACES = Decimal("0.0001")


def table(rows: Sequence[Mapping[str, Any]], dtypes: Mapping[str, Any]) -> pd.DataFrame:  # Any: as above
    """One column for each of `dtypes`, in that order; the same dtypes where there are no rows."""
    columns: dict[str, Any] = {}  # Any: arrays of several kinds
    for name, dtype in dtypes.items():
        values = [row[name] for row in rows]
        if dtype is INSTANT:
            columns[name] = instants(values)
        elif dtype is MONEY:
            columns[name] = pd.array([_exact(value) for value in values], dtype=MONEY)
        else:
            columns[name] = pd.array([None if value is None else value for value in values], dtype=dtype)
    return pd.DataFrame(columns)


def about(frame: pd.DataFrame, source: str, as_of: datetime | None) -> pd.DataFrame:
    """`frame`, which tells where it comes from. Texts, so that Parquet files keep them."""
    frame.attrs |= {"source": source, "as_of": iso(as_of)}
    return frame


def rupees(units: npt.NDArray[np.int64], places: int) -> Any:  # Any: an extension array
    """Whole units of 10^-places rupee, as exact rupees."""
    whole = pa.array(units.astype(np.int64)).cast(pa.decimal128(19, 0))
    unit = pa.scalar(Decimal(1).scaleb(-places), pa.decimal128(places + 1, places))
    return pd.array(pc.multiply(whole, unit).cast(MONEY.pyarrow_dtype), dtype=MONEY)


def instants(values: Sequence[datetime | None]) -> Any:  # Any: an extension array
    return pd.DatetimeIndex(pd.array(values, dtype=INSTANT))


def real(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def iso(at: datetime | None) -> str | None:
    """In Indian time."""
    return None if at is None else at.astimezone(IST).isoformat()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=IST)


def _exact(value: Decimal | None) -> Decimal | None:
    """As it is; what is made of an average, to four decimals."""
    return None if value is None else value.quantize(_PLACES, ROUND_HALF_UP)
