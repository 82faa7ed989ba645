"""When the Indian markets trade: a dated table, the rules around it, and one pure answer to "is it open?".

`calendar.py` answers, `days.py` has the types, `regimes.py` the ordinary hours by effective date, `table/` the days
that differ, `expiries.py` the last days of contracts, `overrides.py` and `statuses.py` what the broker says. Nothing
here reads a clock or a file.

Why by hand, as packages exist (checked 2026-11-21): exchange_calendars 4.13 (`XBOM`) and pandas_market_calendars 5.5
(`NSE`, `BSE`) have the weekday holidays right, and nothing else that a desk needs. They miss every session on a
Saturday or Sunday (Budget, drills, muhurat), the first also the muhurat on weekdays; know neither the closing auction
and the longer hours of derivatives since 2026-08-03, nor MCX, currencies and settlement holidays; and for 2027, of
which nothing is published, one raises and the other calls every weekday open. aion-indian-market-calendar 1.6 does
have the auction, MCX and currencies, for 2026 alone, with base hours that its own dated rules contradict. The table
here is checked against the days for which NSE published prices, and every difference to packaged lists is named in its
tests.
"""
