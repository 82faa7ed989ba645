"""What comes over the order stream, and where it goes."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping

from services.domain.errors import MalformedPayload, StorageError
from services.domain.gtt import GttOrder
from services.orders.keeping import Keeper
from services.orders.reconciliation import Reconciliation
from services.orders.told import Told
from services.wire.order_stream import GttUpdate, OrderUpdate, parse_update

log = logging.getLogger(__name__)


class Stream:
    """Of several processes the one that asks the broker writes it down: what it refuses, or what reaches a process that
    leads no more, changes nothing. On the stream's thread."""

    def __init__(self, *, keeper: Keeper, reconciliation: Reconciliation, gtts: Told[tuple[GttOrder, ...]]) -> None:
        self._keeper = keeper
        self._reconciliation = reconciliation
        self._gtts = gtts

    def heard(self, update: Mapping[str, object]) -> None:
        """An update, as it came."""
        try:
            told = parse_update(update)
            if isinstance(told, OrderUpdate) and self._reconciliation.follows():
                self._reconciliation.hurry()
            elif isinstance(told, OrderUpdate):
                self._keeper.hear(told.order, "stream", raw=update)
            elif isinstance(told, GttUpdate):
                self._gtts.doubt()
                self._reconciliation.wake()
        except (MalformedPayload, StorageError, sqlite3.Error) as error:
            log.warning("an update of the order stream was not understood or not kept; the book is asked: %s", error)
            self._reconciliation.soon()

    def opened(self) -> None:
        """It has come up: what happened in the gap only the books tell."""
        self._gtts.doubt()
        if self._reconciliation.follows():
            self._reconciliation.hurry()
        else:
            self._reconciliation.soon()
