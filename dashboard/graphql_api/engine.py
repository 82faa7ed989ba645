"""The schema, and how a question is answered. Imports the optional library."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import strawberry
from graphql import GraphQLError
from sqlalchemy.exc import SQLAlchemyError
from strawberry.extensions import DisableValidation
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from dashboard.desk_version import desk_version
from dashboard.graphql_api.account import Holdings, Orders, Positions, Trades
from dashboard.graphql_api.checking import Checker
from dashboard.graphql_api.loads import Loads
from dashboard.graphql_api.market import MOST_ITEMS, Candles, Info, Instrument, MarketNow, require_count
from dashboard.graphql_api.money import Alerts, Funds, Profit, Watchlist
from dashboard.graphql_api.values import SCALARS, asked
from dashboard.words import in_words
from services.domain.errors import InvalidRequest, StorageError, UpstoxError
from services.domain.instruments import require_instrument_key
from services.domain.phases import Market
from services.runtime import Runtime

log = logging.getLogger(__name__)


@strawberry.type(description="The desk that answers.")
class Desk:
    mode: str
    version: str
    broker: str
    price_source: str
    practice: bool = strawberry.field(description="Does everything trade around the clock here?")
    now: str = strawberry.field(description="The desk's clock, ISO 8601.")


@strawberry.type(description="Everything that can be asked. Nothing can be changed.")
class Query:
    @strawberry.field
    def desk(self, info: Info) -> Desk | None:
        runtime = info.context.runtime
        return Desk(
            mode=runtime.folder.name,
            version=desk_version(),
            broker=info.context.broker,
            price_source=runtime.source.label,
            practice=runtime.source.practice,
            now=info.context.now.isoformat(),
        )

    @asked("Instruments by their keys, in the order of the keys.")
    def instruments(self, keys: list[str]) -> list[Instrument] | None:
        if len(keys) > MOST_ITEMS:
            raise InvalidRequest(f"at most {MOST_ITEMS} keys in a question")
        return [Instrument(key=require_instrument_key(key)) for key in keys]

    @asked("Instruments that a text may mean, the likeliest first.")
    def search(self, info: Info, text: str, first: int = 10) -> list[Instrument] | None:
        found = info.context.runtime.instruments.search(text[:100], limit=require_count("first", first))
        for one in found:
            info.context.facts.prime(one.key, one)
        return [Instrument(key=one.key) for one in found]

    @asked("The desk's watchlists, in the order of their making.")
    def watchlists(self, info: Info, first: int = 20) -> list[Watchlist] | None:
        lists = info.context.runtime.watchlists.all()[: require_count("first", first)]
        return [Watchlist(keys=one.keys, id=one.id, name=one.name, total=len(one.keys)) for one in lists]

    @asked("What every market does now.")
    def markets(self, info: Info) -> list[MarketNow] | None:
        return [MarketNow.of(market, info.context) for market in Market]

    @asked('The last `count` bars. Intervals: "1minute", "5m", "1h", "day", "week" ...')
    def candles(self, info: Info, key: str, interval: str = "day", count: int = 100) -> Candles | None:
        return Candles.read(key, interval, count, info.context)

    @strawberry.field
    def orders(self, info: Info, first: int = 50) -> Orders | None:
        return Orders.read(require_count("first", first), info.context)

    @strawberry.field
    def trades(self, info: Info, first: int = 50) -> Trades | None:
        return Trades.read(require_count("first", first), info.context)

    @strawberry.field
    def positions(self, info: Info, first: int = 50) -> Positions | None:
        return Positions.read(require_count("first", first), info.context)

    @strawberry.field
    def holdings(self, info: Info, first: int = 50) -> Holdings | None:
        return Holdings.read(require_count("first", first), info.context)

    @strawberry.field
    def funds(self, info: Info) -> Funds | None:
        return Funds.read(info.context)

    @strawberry.field
    def profit(self, info: Info) -> Profit | None:
        return Profit.read(info.context)

    @strawberry.field
    def alerts(self, info: Info, first: int = 20) -> Alerts | None:
        return Alerts.read(require_count("first", first), info.context)


class _Schema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Failures that the desk raises on purpose are told to whoever asked; only others belong in the log."""
        for error in errors:
            cause = error.original_error
            if cause is not None and not isinstance(cause, UpstoxError | SQLAlchemyError | OSError | sqlite3.Error):
                log.error("a question was not answered, at %s", error.path, exc_info=cause)


class Engine:
    """Answers questions. Any thread; the services wait on the thread of whoever asks."""

    def __init__(self, runtime: Callable[[], Runtime]) -> None:
        self._runtime = runtime
        self._schema = _Schema(
            query=Query,
            config=StrawberryConfig(scalar_map=SCALARS),
            extensions=[DisableValidation],  # done before, by the checker
        )
        self.text = self._schema.as_str() + "\n"
        """The schema in its own language."""
        self._checker = Checker(self.text)

    def cost(self, question: str, operation: str | None, variables: Mapping[str, Any]) -> int:
        """The points of a question. Raises `Refused`. (Any: JSON values.)"""
        return self._checker.cost(question, operation, variables)

    def answer(self, question: str, operation: str | None, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a question whose cost is known: `data`, and `errors` with their paths."""
        return asyncio.run(self._answer(question, operation, dict(variables)))

    async def _answer(self, question: str, operation: str | None, variables: dict[str, Any]) -> dict[str, Any]:
        result = await self._schema.execute(
            question, variable_values=variables, context_value=Loads(self._runtime()), operation_name=operation
        )
        told: dict[str, Any] = {"data": result.data}
        if result.errors:
            told["errors"] = [_told(error) for error in result.errors]
        return told


def _told(error: GraphQLError) -> dict[str, Any]:
    """One failure, in the desk's words."""
    cause = error.original_error
    if isinstance(cause, SQLAlchemyError | sqlite3.Error | OSError):
        cause = StorageError("the desk's own files cannot be read just now")
    if isinstance(cause, UpstoxError):
        words, code, again = str(in_words(cause)), type(cause).__name__, cause.retryable
    elif cause is None:
        words, code, again = error.message, "InvalidQuery", False
    else:
        words, code, again = "Something went wrong inside the desk; its log has the details.", "InternalError", False
    told: dict[str, Any] = {"message": words, "extensions": {"code": code, "retryable": again}}
    if error.path is not None:
        told["path"] = error.path
    return told
