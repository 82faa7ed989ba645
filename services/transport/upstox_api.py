"""The broker's operations as typed methods: arguments in, domain values out.

How a call is carried (pacing, retry, fallback, tokens) is `caller`'s matter; what an answer means is `wire`'s.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date

from services.domain.accounts import Funds, Holiday, MarketStatus, Profile, RegisteredAddresses, Window
from services.domain.candles import Interval, Unit
from services.domain.errors import InvalidRequest, UpstoxError
from services.domain.instruments import Instrument
from services.domain.quotes import Bar, ChainRow, Ltp, Ohlc, OptionGreeks, Quote
from services.transport.call import Call
from services.transport.caller import Caller, Served
from services.transport.failures import ErrorSink
from services.transport.http import Answer, HttpClient
from services.transport.instrument_file import InstrumentFile
from services.transport.retry import ReadRetry, RetryPolicy
from services.wire import account, candles, endpoints, feed_address, instruments, market, options, quote_decoder, quotes
from services.wire.account import TokenGrant, TokenRequest
from services.wire.candle_columns import CandleColumns
from services.wire.endpoints import Base, Operation
from services.wire.envelope import unwrap, unwrap_flat
from services.wire.rate_windows import Gate

__all__ = ["InstrumentFile", "Served", "UpstoxApi"]

_FILE_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_-]{0,40}$")
_OHLC_INTERVALS = ("1d", "I1", "I30")


class UpstoxApi:
    """One typed method for each operation. Reads are retried and may be served by another version; the rest is not.

    Every method raises what `services.domain.errors` draws under `TransportError`, `BrokerError`, `LoginRequired` and
    `RateBudgetSpent`; nothing else. A read ends within `RetryPolicy.total_seconds` (20 s).
    """

    def __init__(
        self,
        *,
        http: HttpClient,
        gate: Gate,
        bases: Mapping[Base, str],
        profile: endpoints.Profile,
        token: Callable[[bool], str],
        token_rejected: Callable[[str], None],
        error_sink: ErrorSink,
        write_rejected: Callable[[str], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        policy: RetryPolicy | None = None,
        use_v3: bool = True,
    ) -> None:
        """`token(writes)` gives a bearer token or raises `LoginRequired`; `token_rejected(secret)` hears of a 401,
        `write_rejected(secret)` in its place of one to a write."""
        self._caller = Caller(
            http=http,
            gate=gate,
            bases=bases,
            profile=profile,
            token=token,
            token_rejected=token_rejected,
            error_sink=error_sink,
            write_rejected=write_rejected,
            retry=ReadRetry(policy or RetryPolicy(), sleep=sleep, monotonic=monotonic),
            monotonic=monotonic,
        )
        self._http = http
        self._bases = bases
        self._use_v3 = use_v3

    @property
    def caller(self) -> Caller:
        """What carries the calls; the order operations go the same way."""
        return self._caller

    # -- quotes and options ------------------------------------------------------------------------------------

    def full_quotes(self, keys: Sequence[str], *, use_v3: bool | None = None) -> Served[dict[str, Quote]]:
        """Full quotes by instrument key, at most 500. Silent instruments are missing from the result; one unknown key
        fails the whole call with `BadInstrumentKey`."""
        call = Call(endpoints.QUOTES, keys=tuple(keys))
        return self._caller.read(
            call, quotes.parse_full_quotes, use_v3=self._v3(use_v3), decode=quote_decoder.decode_full_quotes
        )

    def ltp(self, keys: Sequence[str], *, use_v3: bool | None = None) -> Served[dict[str, Ltp]]:
        """Light quotes by instrument key, at most 500."""
        return self._caller.read(Call(endpoints.LTP, keys=tuple(keys)), quotes.parse_ltp, use_v3=self._v3(use_v3))

    def ohlc(self, keys: Sequence[str], interval: str = "1d", *, use_v3: bool | None = None) -> Served[dict[str, Ohlc]]:
        """OHLC quotes by instrument key, at most 500. `interval`: `1d`, `I1` or `I30`. Served by v2 the bars have
        neither start nor volume."""
        if interval not in _OHLC_INTERVALS:
            raise InvalidRequest(f"{interval!r} is not an OHLC interval: 1d, I1 or I30")
        call = Call(endpoints.OHLC, params={"interval": interval}, keys=tuple(keys))
        return self._caller.read(call, quotes.parse_ohlc, use_v3=self._v3(use_v3))

    def option_greeks(self, keys: Sequence[str]) -> Served[dict[str, OptionGreeks]]:
        """Greeks by instrument key, at most 50."""
        return self._caller.read(Call(endpoints.OPTION_GREEKS, keys=tuple(keys)), options.parse_greeks)

    def option_chain(self, key: str, expiry: date) -> list[ChainRow]:
        """The strikes of one expiry of an underlying, ascending. Empty where the broker lists none (MCX)."""
        call = Call(endpoints.OPTION_CHAIN, params={"instrument_key": key, "expiry_date": expiry.isoformat()})
        return self._caller.read(call, options.parse_chain).value

    def option_contracts(self, key: str, expiry: date | None = None) -> list[Instrument]:
        """The option contracts of an underlying, of all expiries or of one."""
        params = {"instrument_key": key} | ({} if expiry is None else {"expiry_date": expiry.isoformat()})
        return self._caller.read(Call(endpoints.OPTION_CONTRACTS, params=params), options.parse_contracts).value

    def intraday_bars(self, key: str, unit: str = "minutes", interval: int = 5) -> list[Bar]:
        """The bars of the running day, oldest first; provisional. Empty before the first trade."""
        return self.candles_today(key, Interval(Unit(unit), int(interval))).value.bars()

    # -- candles -----------------------------------------------------------------------------------------------

    def candles(
        self, key: str, interval: Interval, first: date, last: date, *, use_v3: bool = True
    ) -> Served[CandleColumns]:
        """The bars of the days `first` to `last`, both included; the running day is never among them. One call: keep to
        `interval.caps`. No bars are an answer.

        v2 is the second way where it has the interval and takes so many days in one call; with `use_v3=False` it is the
        only one (`InvalidRequest` where it has not).
        """
        days = (last - first).days + 1
        v2 = interval.caps.v2_word is not None and days <= interval.caps.v2_days
        span = {"from_date": first.isoformat(), "to_date": last.isoformat()}
        return self._candles(endpoints.HISTORY_BARS, key, interval, span, v2=v2, use_v3=use_v3)

    def candles_today(self, key: str, interval: Interval, *, use_v3: bool = True) -> Served[CandleColumns]:
        """The bars of the running day so far, the one that forms included; provisional. Minutes, hours and the day.

        v2 is the second way for 1 and for 30 minutes; with `use_v3=False` it is the only one (`InvalidRequest` for any
        other interval).
        """
        v2 = interval.caps.v2_word is not None and interval.intraday
        return self._candles(endpoints.INTRADAY_BARS, key, interval, {}, v2=v2, use_v3=use_v3)

    def _candles(
        self, operation: Operation, key: str, interval: Interval, span: dict[str, str], *, v2: bool, use_v3: bool
    ) -> Served[CandleColumns]:
        members = {"instrument_key": key, "unit": str(interval.unit), "interval": str(interval.count), **span}
        if v2 and interval.caps.v2_word is not None:
            members["v2_interval"] = interval.caps.v2_word
        elif not use_v3:
            raise InvalidRequest(f"v2 has no call for candles of {interval} over that span")
        call = Call(operation, members=members)
        return self._caller.read(call, candles.parse_candles, use_v3=use_v3, decode=candles.decode_candles)

    # -- market information and instruments --------------------------------------------------------------------

    def market_status(self, exchange: str) -> MarketStatus:
        """The status of one exchange (`NSE`, `MCX` ...; not a segment)."""
        return self._caller.read(
            Call(endpoints.MARKET_STATUS, members={"exchange": exchange}), market.parse_status
        ).value

    def holidays(self, day: date | None = None) -> list[Holiday]:
        """The running year's holidays, or what is special about one day (nothing: an empty list)."""
        if day is None:
            return self._caller.read(Call(endpoints.MARKET_HOLIDAYS), market.parse_holidays).value
        call = Call(endpoints.MARKET_HOLIDAY, members={"date": day.isoformat()})
        return self._caller.read(call, market.parse_holidays).value

    def timings(self, day: date) -> list[Window]:
        """Opening hours of every exchange on `day`; an empty list on a full holiday."""
        call = Call(endpoints.MARKET_TIMINGS, members={"date": day.isoformat()})
        return self._caller.read(call, market.parse_timings).value

    def search_instruments(
        self,
        query: str,
        *,
        exchanges: str | None = None,
        segments: str | None = None,
        instrument_types: str | None = None,
        expiry: str | None = None,
        atm_offset: int | None = None,
        page_number: int | None = None,
        records: int | None = None,
    ) -> list[Instrument]:
        """The broker's own search: `query` of at most 50 characters, at most 30 records a page."""
        given = {
            "exchanges": exchanges,
            "segments": segments,
            "instrument_types": instrument_types,
            "expiry": expiry,
            "atm_offset": atm_offset,
            "page_number": page_number,
            "records": records,
        }
        params = {"query": query} | {name: str(value) for name, value in given.items() if value is not None}
        return self._caller.read(Call(endpoints.INSTRUMENT_SEARCH, params=params), instruments.parse_search).value

    @contextmanager
    def instrument_file(self, name: str, *, etag: str | None = None) -> Iterator[InstrumentFile | None]:
        """An instrument file (`NSE`, `BSE`, `MCX`, `complete` ...) open for reading inside the block, unpacked on the
        way; `None` if the broker's copy still is the one of `etag`. Carries no token."""
        if not _FILE_NAME.match(name):
            raise InvalidRequest(f"{name!r} is not the name of an instrument file")
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"} | ({"If-None-Match": etag} if etag else {})
        with ExitStack() as stack:
            stream = self._caller.open(Call(endpoints.INSTRUMENT_FILE, members={"file": name}), headers, stack)
            yield None if stream.status == 304 else InstrumentFile(stream)

    # -- account -----------------------------------------------------------------------------------------------

    def profile(self, token: str | None = None) -> Profile:
        """The person behind the current token, or behind `token`, which is neither kept nor dropped for it."""
        return self._caller.read(Call(endpoints.PROFILE), account.parse_profile, token=token).value

    def registered_addresses(self) -> RegisteredAddresses:
        """The static addresses from which the broker takes orders."""
        return self._caller.read(Call(endpoints.USER_IP), account.parse_addresses).value

    def funds(self) -> Funds:
        """Money free and blocked, exact; `api_version` tells the shape it was read from."""
        return self._caller.read(Call(endpoints.FUNDS), account.parse_funds, use_v3=self._use_v3).value

    def logout(self) -> None:
        """Revoke the current token at the broker. Sent once."""
        call = Call(endpoints.LOGOUT)
        self._checked(call, self._caller.once(call))

    def exchange_code(self, code: str, client_id: str, client_secret: str, redirect_uri: str) -> TokenGrant:
        """The token for an authorization code. Sent once: the code dies with the attempt, whatever comes of it."""
        call = Call(endpoints.TOKEN)
        answer = self._caller.once(
            call,
            form={
                "code": code,
                "client_id": client_id,
                "client_secret": client_secret,
                "redirect_uri": redirect_uri,
                "grant_type": "authorization_code",
            },
        )
        try:
            return account.parse_token_grant(
                unwrap_flat(
                    answer.status,
                    answer.body,
                    endpoint=f"POST {endpoints.TOKEN.published[0].path}",
                    request_id=answer.request_id,
                    content_type=answer.content_type,
                )
            )
        except UpstoxError as error:
            self._caller.told(call, error)
            raise

    def request_token(self, client_id: str, client_secret: str) -> TokenRequest:
        """Ask the person on the phone for today's token. Sent once; consent arrives at the app's notifier address."""
        call = Call(endpoints.TOKEN_REQUEST, members={"client_id": client_id})
        answer = self._caller.once(call, json={"client_secret": client_secret})
        return account.parse_token_request(self._checked(call, answer))

    # -- live feeds --------------------------------------------------------------------------------------------

    def feed_authorize(self) -> str:
        """A fresh address of the market feed. It is good for one connection, soon."""
        return self._caller.read(Call(endpoints.FEED_AUTHORIZE), feed_address.parse_address).value

    def portfolio_feed_authorize(self, update_types: Sequence[str] = ("order",)) -> str:
        """The same of the portfolio stream; `update_types`: `order`, `gtt_order`, `position`, `holding`."""
        call = Call(endpoints.PORTFOLIO_FEED_AUTHORIZE, params={"update_types": ",".join(update_types)})
        return self._caller.read(call, feed_address.parse_address).value

    # -- shared ------------------------------------------------------------------------------------------------

    def _v3(self, asked: bool | None) -> bool:
        return self._use_v3 if asked is None else asked

    def _checked(self, call: Call, answer: Answer) -> object:
        route = call.operation.published[0]
        try:
            return unwrap(
                answer.status,
                answer.body,
                endpoint=f"{route.method} {route.path}",
                request_id=answer.request_id,
                content_type=answer.content_type,
                retry_after=answer.retry_after,
            ).data
        except UpstoxError as error:
            self._caller.told(call, error)
            raise
