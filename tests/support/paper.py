"""A small market whose every figure is known, and a paper broker over it, for tests of the broker's HTTP side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import requests

from services.domain.clock import IST, epoch_ms
from services.paper.bars import daily, joined, ordinals
from services.paper.clock import PaperClock
from services.paper.model import Bars, Greeks, Level, Listing, MarketBar, Snapshot
from services.paper.options import PaperOptions
from services.paper.routes_paper import CALENDAR
from services.paper.server import PaperServer

RELIANCE = "NSE_EQ|INE002A01018"
INFY = "NSE_EQ|INE009A01021"
NIFTY = "NSE_INDEX|Nifty 50"
CALL, PUT, FAR_CALL = "NSE_FO|56983", "NSE_FO|56984", "NSE_FO|56985"
FUTURE = "NSE_FO|54012"
CRUDE = "MCX_FO|500001"
STILL = "2026-11-20T11:15:00+05:30x0.000001"
"""A clock that stands practically still at a quarter past eleven."""

_EXPIRY = epoch_ms(datetime(2026, 11, 23, 23, 59, 59, tzinfo=IST))
_NEXT_EXPIRY = epoch_ms(datetime(2026, 12, 29, 23, 59, 59, tzinfo=IST))


def _share(symbol: str, name: str, isin: str, exchange: str = "NSE") -> Listing:
    key = f"{exchange}_EQ|{isin}"
    row: dict[str, object] = {
        "segment": f"{exchange}_EQ",
        "name": name,
        "exchange": exchange,
        "isin": isin,
        "instrument_type": "EQ",
        "instrument_key": key,
        "lot_size": 1,
        "freeze_quantity": 100000.0,
        "exchange_token": "2885",
        "tick_size": 10.0,
        "trading_symbol": symbol,
        "qty_multiplier": 1.0,
        "mtf_enabled": True,
        "mtf_bracket": 26.5,
        "security_type": "NORMAL",
        "cas_eligible": True,
    }
    return Listing(key, f"{exchange}_EQ", exchange, symbol, row)


def _contract(token: str, kind: str, strike: float, symbol: str, quote_symbol: str, expiry: int = _EXPIRY) -> Listing:
    key = f"NSE_FO|{token}"
    row: dict[str, object] = {
        "weekly": False,
        "segment": "NSE_FO",
        "name": "NIFTY",
        "exchange": "NSE",
        "expiry": expiry,
        "underlying_symbol": "NIFTY",
        "lot_size": 65,
        "freeze_quantity": 1755.0,
        "minimum_lot": 65,
        "underlying_key": NIFTY,
        "tick_size": 5.0,
        "underlying_type": "INDEX",
        "asset_key": NIFTY,
        "asset_symbol": "NIFTY",
        "asset_type": "INDEX",
        "qty_multiplier": 1.0,
        "instrument_type": kind,
        "instrument_key": key,
        "exchange_token": token,
        "trading_symbol": symbol,
        "strike_price": strike,
    }
    return Listing(key, "NSE_FO", "NSE", quote_symbol, row)


def _index() -> Listing:
    row: dict[str, object] = {
        "segment": "NSE_INDEX",
        "name": "Nifty 50",
        "exchange": "NSE",
        "instrument_type": "INDEX",
        "instrument_key": NIFTY,
        "exchange_token": "26000",
        "trading_symbol": "NIFTY",
    }
    return Listing(NIFTY, "NSE_INDEX", "NSE", "Nifty 50", row)


def _crude() -> Listing:
    row: dict[str, object] = {
        "weekly": False,
        "segment": "MCX_FO",
        "name": "CRUDEOIL",
        "exchange": "MCX",
        "expiry": _NEXT_EXPIRY,
        "underlying_symbol": "CRUDEOIL",
        "lot_size": 1,
        "freeze_quantity": 100.0,
        "minimum_lot": 1,
        "underlying_key": "MCX_COM|294",
        "tick_size": 100.0,
        "underlying_type": "COM",
        "qty_multiplier": 100.0,
        "instrument_type": "FUT",
        "instrument_key": CRUDE,
        "exchange_token": "500001",
        "trading_symbol": "CRUDEOIL FUT 29 DEC 26",
        "strike_price": 0.0,
    }
    return Listing(CRUDE, "MCX_FO", "MCX", "CRUDEOIL26DECFUT", row)


class KnownMarket:
    """Prices that never move: 1472.50 for RELIANCE, 25986.45 for NIFTY, 187.80 for its call, 100 for all the rest.
    Its minutes run from 09:15 to the instant asked for; `spare` shares `SPARE0` … come on top."""

    source = "simulated"

    def __init__(self, spare: int = 0) -> None:
        self.spare_keys = [f"NSE_EQ|INE9{n:05d}019" for n in range(spare)]
        items = [
            _share("RELIANCE", "RELIANCE INDUSTRIES LTD", "INE002A01018"),
            _share("INFY", "INFOSYS LIMITED", "INE009A01021"),
            _share("RELIANCE", "RELIANCE INDUSTRIES LTD.", "INE002A01018", "BSE"),
            _index(),
            _contract("54012", "FUT", 0.0, "NIFTY FUT 23 NOV 26", "NIFTY26NOVFUT"),
            _contract("56983", "CE", 26000.0, "NIFTY 26000 CE 23 NOV 26", "NIFTY26NOV26000CE"),
            _contract("56984", "PE", 26000.0, "NIFTY 26000 PE 23 NOV 26", "NIFTY26NOV26000PE"),
            _contract("56985", "CE", 26100.0, "NIFTY 26100 CE 29 DEC 26", "NIFTY26DEC26100CE", _NEXT_EXPIRY),
            _crude(),
            *(_share(f"SPARE{n}", f"SPARE {n} LTD", key[7:]) for n, key in enumerate(self.spare_keys)),
        ]
        self._listings = {item.key: item for item in items}

    def listings(self, at: datetime) -> Mapping[str, Listing]:
        return self._listings

    def snapshots(self, keys: Iterable[str], at: datetime) -> list[Snapshot]:
        return [self._snapshot(self._listings[key], at) for key in keys]

    def minute_bars(self, key: str, at: datetime) -> list[MarketBar]:
        self._listings[key]
        opening = epoch_ms(datetime.combine(at.astimezone(IST).date(), time(9, 15), IST))
        count = max(0, (epoch_ms(at) - opening) // 60_000 + 1)
        return [MarketBar(opening + n * 60_000, 100.0 + n, 101.0 + n, 99.0 + n, 100.5 + n, 10, 0) for n in range(count)]

    def today(self, key: str, at: datetime) -> Bars:
        return Bars.of(self.minute_bars(key, at))

    def minutes(self, key: str, first: date, last: date, at: datetime) -> Bars:
        """Each of the days like the running one, from 09:15 to 15:30; weekends rest."""
        days = self._finished(first, last, at)
        return joined(
            Bars.of(self.minute_bars(key, datetime.combine(of, time(15, 29), IST))) for of in days if of.weekday() < 5
        )

    def days(self, key: str, first: date, last: date, at: datetime) -> Bars:
        minutes = self.minutes(key, first, last, at)
        return daily(minutes, ordinals(minutes))

    def _finished(self, first: date, last: date, at: datetime) -> list[date]:
        until = min(last, at.astimezone(IST).date() - timedelta(days=1))
        return [first + timedelta(days=n) for n in range((until - first).days + 1)]

    def _snapshot(self, item: Listing, at: datetime) -> Snapshot:
        index = item.segment == "NSE_INDEX"
        ltp = {RELIANCE: 1472.5, NIFTY: 25986.45, CALL: 187.8, PUT: 176.1}.get(item.key, 100.0)
        previous = {RELIANCE: 1465.2, NIFTY: 25910.05, CALL: 172.4}.get(item.key, 99.0)
        derivative = item.segment == "NSE_FO"
        day = datetime.combine(at.astimezone(IST).date(), time(0, 0), IST)
        minute = epoch_ms(at) // 60_000 * 60_000
        levels = () if index else tuple(Level(round(ltp - n / 10, 2), 100 + n, 5 + n) for n in range(5))
        return Snapshot(
            listing=item,
            at_ms=epoch_ms(at),
            ltp=ltp,
            open=ltp - 4.5,
            high=ltp + 6.4,
            low=ltp - 10.4,
            prev_close=previous,
            day_start_ms=epoch_ms(day),
            volume=None if index else 4312876,
            average_price=None if index else 1470.84,
            last_quantity=0 if index else 12,
            last_trade_ms=epoch_ms(at) - 155,
            oi=9120345.0 if item.key == CALL else 8573110.0 if derivative else None,
            oi_day_high=9200000.0 if derivative else None,
            oi_day_low=9000000.0 if derivative else None,
            previous_oi=8455200.0 if derivative else None,
            lower_circuit=None if index else 1318.7,
            upper_circuit=None if index else 1611.7,
            year_high=1611.8,
            year_low=1280.4,
            total_buy_quantity=None if index else 512340,
            total_sell_quantity=None if index else 640118,
            bids=levels,
            asks=levels,
            greeks=Greeks(0.1124, 0.5013, 0.0011, -14.2077, 10.8321, 48.6) if item.key in {CALL, PUT} else None,
            minute=MarketBar(minute, ltp - 0.3, ltp + 0.1, ltp - 0.4, ltp, 1204, 0),
            last_minute=MarketBar(minute - 60_000, ltp - 0.5, ltp + 0.4, ltp - 0.9, ltp - 0.3, 18233, 0),
        )


PATIENCE = 30
"""Seconds for an answer: a machine that runs much beside the tests is slow."""


class Client:
    """Requests to one broker, as a program would send them."""

    def __init__(self, server: PaperServer) -> None:
        self.base = server.base_url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {server.access_token()}"

    def get(self, path: str, **given: Any) -> requests.Response:
        return self.session.get(self.base + path, **{"timeout": PATIENCE, **given})

    def send(self, method: str, path: str, **given: Any) -> requests.Response:
        return self.session.request(method, self.base + path, **{"timeout": PATIENCE, **given})

    def data(self, path: str, **given: Any) -> Any:
        """The `data` of an answer that must be a success."""
        answer = self.get(path, **given)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["status"] == "success"
        return body["data"]

    def calendar_fault(self, kind: str, **more: object) -> dict[str, Any]:
        """Let the exchange declare a `holiday` or a `special` session, or the broker tell a wrong `status`."""
        answer = self.send("POST", CALENDAR, json={"kind": kind, **more})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()["data"]
        return told

    def clear_calendar_faults(self) -> None:
        """Back to the table."""
        assert self.send("DELETE", CALENDAR).json()["data"] == []

    def error(self, path: str, **given: Any) -> tuple[int, str]:
        """Status and code of an answer that must be an error envelope."""
        return error_of(self.get(path, **given))


def error_of(answer: requests.Response) -> tuple[int, str]:
    """Status and code of an error envelope, whose members must stand in both spellings."""
    body = answer.json()
    assert body["status"] == "error"
    assert "data" not in body
    [entry] = body["errors"]
    assert entry["errorCode"] == entry["error_code"]
    assert entry["propertyPath"] == entry["property_path"]
    assert entry["invalidValue"] == entry["invalid_value"]
    assert entry["message"]
    return answer.status_code, entry["error_code"]


def calendar_fault(server: PaperServer, kind: str, **more: object) -> None:
    """As `Client.calendar_fault`, of a broker started with `faults=True`; `kind="clear"` ends all of them."""
    answer = requests.request(
        "DELETE" if kind == "clear" else "POST",
        server.base_url + CALENDAR,
        json={"kind": kind, **more},
        headers={"Authorization": f"Bearer {server.access_token()}"},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200, answer.text


class Hands:
    """A clock that a test moves."""

    mode = "simulated"
    speed = 1.0

    def __init__(self, instant: str) -> None:
        self.instant = datetime.fromisoformat(instant)

    def now(self) -> datetime:
        return self.instant


def day(text: str) -> date:
    return date.fromisoformat(text)


@contextmanager
def running(folder: Path, *, market: KnownMarket | None = None, **given: Any) -> Iterator[Client]:
    """A broker over the known market and a client with its token."""
    options = PaperOptions(folder=folder, **{"clock": STILL, **given})
    server = PaperServer(options, market=market or KnownMarket(), clock=PaperClock.parse(options.clock))
    server.start()
    client = Client(server)
    try:
        yield client
    finally:
        client.session.close()
        server.stop()
