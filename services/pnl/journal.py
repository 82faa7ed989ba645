"""Notes and tags on closed trades."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from services.domain.actors import Actor, require_trader
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.ledger.engine import Ledger
from services.ledger.journal import JournalNotes
from services.portfolio.records import JournalNote

MAX_TEXT, MAX_TAG, MAX_TAGS = 4000, 40, 20
"""Letters of a note, letters of a tag, tags of a trade."""


class Journal:
    """What was written about closed trades; the trades are named by the ids that the P&L gives them."""

    def __init__(self, ledger: Ledger, clock: Clock, *, changed: Callable[[], None] = lambda: None) -> None:
        """`changed`: told after something was written."""
        self._store = JournalNotes(ledger, clock)
        self._changed = changed

    def note(self, trade_id: str) -> JournalNote | None:
        """What was written about one trade; `None`: nothing."""
        return self._store.get(trade_id)

    def all(self) -> Mapping[str, JournalNote]:
        """Everything that was written, by trade. For tables and exports."""
        return self._store.all()

    def write(self, trade_id: str, text: str, tags: Iterable[str], actor: Actor) -> JournalNote | None:
        """Replace what was written about a trade; without text and tags it is taken away (`None`). The audit keeps what
        stood there. Of tags, spaces around them and a # before them do not count, and one that is in use keeps its
        capitals. `InvalidRequest` for too long a text, or too many or too long tags."""
        require_trader(actor)
        text = text.replace("\r\n", "\n").strip()
        if len(text) > MAX_TEXT or "\0" in text:
            raise InvalidRequest(f"a note has at most {MAX_TEXT:,} letters")
        told = [plain for plain in (" ".join(tag.split()).lstrip("#").strip() for tag in tags) if plain]
        if len(told) > MAX_TAGS:
            raise InvalidRequest(f"a trade has at most {MAX_TAGS} tags")
        for tag in told:
            if len(tag) > MAX_TAG or not tag.isprintable():
                raise InvalidRequest(f"a tag has at most {MAX_TAG} letters, {tag[:20]!r}… has more or others")
        stored = self._store.write(trade_id, text, told, actor)
        self._changed()
        return stored

    def tags(self) -> Mapping[str, int]:
        """All tags in use and how many trades carry them, sorted by name."""
        return self._store.tags()

    def stamp(self) -> str:
        """Differs as soon as anything was written, by whichever process. Quick."""
        return self._store.stamp()
