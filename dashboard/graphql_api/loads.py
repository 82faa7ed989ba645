"""What one question needs of the desk, each thing once: everything that asks for quotes asks in one call."""

from __future__ import annotations

from datetime import datetime

from strawberry.dataloader import DataLoader

from services.domain.errors import UnknownInstrument, UpstoxError
from services.domain.instruments import Instrument as Facts
from services.domain.quote_row import QuoteRow
from services.runtime import Runtime


class Loads:
    """Of one question, in the loop of its own thread: the services wait there, and nobody else does."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.now: datetime = runtime.clock.now()
        self.quotes: DataLoader[str, QuoteRow] = DataLoader(load_fn=self._quotes)
        self.facts: DataLoader[str, Facts] = DataLoader(load_fn=self._facts)

    @property
    def broker(self) -> str:
        """Who tells of orders and money, in words."""
        return self.runtime.broker.label

    async def _quotes(self, keys: list[str]) -> list[QuoteRow | BaseException]:
        found = self.runtime.quotes.get(keys)
        return [found.quotes.get(key) or found.problems[key] for key in keys]

    async def _facts(self, keys: list[str]) -> list[Facts | BaseException]:
        try:
            found = self.runtime.instruments.many(keys)
        except UpstoxError as error:
            return [error for _ in keys]
        return [found.get(key) or UnknownInstrument(f"{key[:60]!r} is not in the instrument master") for key in keys]
