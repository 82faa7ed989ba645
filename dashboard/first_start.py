"""What a newcomer finds: a first watchlist of well-known instruments, made once."""

from __future__ import annotations

from services.runtime import Runtime

INDEX_KEYS = (
    "NSE_INDEX|Nifty 50",
    "BSE_INDEX|SENSEX",
    "NSE_INDEX|Nifty Bank",
    "NSE_INDEX|Nifty IT",
    "NSE_INDEX|India VIX",
)
"""The index strip."""

FIRST_NAME = "Large caps"
FIRST_KEYS = (
    "NSE_EQ|INE002A01018",  # Reliance Industries
    "NSE_EQ|INE040A01034",  # HDFC Bank
    "NSE_EQ|INE467B01029",  # TCS
    "NSE_EQ|INE397D01024",  # Bharti Airtel
    "NSE_EQ|INE090A01021",  # ICICI Bank
    "NSE_EQ|INE062A01020",  # State Bank of India
    "NSE_EQ|INE009A01021",  # Infosys
    "NSE_EQ|INE154A01025",  # ITC
    "NSE_EQ|INE018A01030",  # Larsen & Toubro
    "NSE_EQ|INE101A01026",  # Mahindra & Mahindra
    "NSE_EQ|INE030A01027",  # Hindustan Unilever
    "NSE_EQ|INE585B01010",  # Maruti Suzuki
    "NSE_EQ|INE238A01034",  # Axis Bank
    "NSE_EQ|INE044A01036",  # Sun Pharma
    "NSE_EQ|INE280A01028",  # Titan
    "NSE_EQ|INE917I01010",  # Bajaj Auto
)


def make_first_watchlist(runtime: Runtime) -> None:
    """Give a desk without any watchlist the first one; a desk that has some is left alone."""
    if not runtime.watchlists.all():
        runtime.watchlists.create(FIRST_NAME, FIRST_KEYS)
