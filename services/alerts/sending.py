"""Sends a message to an address that apprise knows: the one module that knows the library.

No address is written anywhere: not by the library, whose lines are kept here and end here, and not in what a failure
says. Its import takes most of a second, so it comes with the first use.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import Any, Protocol
from urllib.parse import unquote

from services.domain.errors import InvalidRequest, NoAnswer
from services.ledger.alerts import Severity

LONGEST_URL = 1000
_LONGEST_REASON = 300
_SHORTEST_PIECE = 4
_HIDDEN = "***"
_HAS_A_HOST = ("json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos", "http", "https")
"""Schemes whose first part names a machine; in all others it is a token or the like."""
_TYPES = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}


class Sender(Protocol):
    """Tells one address something."""

    def service(self, url: str) -> str:
        """The name of the service behind `url`. `InvalidRequest`, without the address, if it is none."""
        ...

    def send(self, url: str, title: str, body: str, severity: Severity | None) -> None:
        """Send now; returns when the service took it. Raises `NoAnswer` with the reason. `None`: good news."""
        ...


class AppriseSender:
    """Over apprise. `hide` is told every part of an address that may be a secret, before it is used."""

    def __init__(self, hide: Callable[[str], None] = lambda secret: None) -> None:
        self._hide = hide

    def service(self, url: str) -> str:
        plugin = self._plugin(url)
        return str(plugin.service_name)[:60]

    def send(self, url: str, title: str, body: str, severity: Severity | None) -> None:
        plugin = self._plugin(url)
        said: list[str] = []
        with _listening(said):
            try:
                done = plugin.notify(body=body, title=title, notify_type=_TYPES[severity] if severity else "success")
            except Exception as error:  # noqa: BLE001  # a hundred services' own code: whatever it raises is a failure
                raise NoAnswer(_reason([*said, type(error).__name__], url)) from None
        if not done:
            raise NoAnswer(_reason(said, url))

    def _plugin(self, url: str) -> Any:  # Any: the library's object, of one of a hundred classes
        url = url.strip()
        if not 5 <= len(url) <= LONGEST_URL or not url.isprintable():
            raise InvalidRequest(f"the address of a channel has 5 to {LONGEST_URL} printable characters")
        for piece in secret_pieces(url):
            self._hide(piece)
        with _listening([]):
            from apprise import Apprise, AppriseAsset
            from apprise.common import PersistentStoreMode

            asset = AppriseAsset(
                app_id="Upstox Desk",
                app_desc="Upstox Desk alerts",
                app_url="",
                storage_mode=PersistentStoreMode.MEMORY,
                secure_logging=True,
                http_redirects=False,
            )
            plugin = Apprise.instantiate(url, asset=asset)
        if plugin is None:
            raise InvalidRequest(
                "this is no address of a known service. Examples: tgram://bot-token/chat-id, "
                "mailtos://user:password@example.com, slack://token-a/token-b/token-c, "
                "pagerduty://integration-key@api-key, jsons://host/path for a webhook"
            )
        return plugin


def secret_pieces(url: str) -> list[str]:
    """The parts of an address that may be secrets, the longest first; the address itself is the first. The name of a
    machine is none."""
    bare, _, query = url.partition("?")
    scheme, _, rest = bare.partition("://")
    pieces = {url, bare}
    place, _, path = rest.partition("/")
    login, _, host = place.rpartition("@")
    if scheme.lower() not in _HAS_A_HOST:
        pieces |= {place, host, *host.split(":")}
    pieces |= {login, *login.split(":"), *path.split("/")}
    pieces |= {part.partition("=")[2] for part in query.split("&")}
    pieces |= {unquote(piece) for piece in pieces}
    return sorted((piece for piece in pieces if len(piece) >= _SHORTEST_PIECE), key=len, reverse=True)


def _reason(said: list[str], url: str) -> str:
    """Why it was not taken, in the library's words, without any part of the address."""
    text = " ".join((said[-1] if said else "the service did not take it and said nothing").split())
    for piece in secret_pieces(url):
        text = text.replace(piece, _HIDDEN)
    text = re.sub(r"\b[a-z]{2,12}://\S+", _HIDDEN, text)
    return text[:_LONGEST_REASON]


class _Ear(logging.Handler):
    """Keeps what the library says on the threads that listen, and passes nothing on."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lists: dict[int, list[str]] = {}
        self._lists_guard = Lock()

    def emit(self, record: logging.LogRecord) -> None:
        kept = self._lists.get(get_ident())
        if kept is not None:
            kept.append(record.getMessage())

    def begin(self, said: list[str]) -> None:
        with self._lists_guard:
            self._lists[get_ident()] = said

    def end(self) -> None:
        with self._lists_guard:
            self._lists.pop(get_ident(), None)


_ear = _Ear()


@contextmanager
def _listening(said: list[str]) -> Iterator[None]:
    """Inside the block the library's lines go to `said`, and nowhere else, ever."""
    logger = logging.getLogger("apprise")
    if _ear not in logger.handlers:
        logger.addHandler(_ear)
        logger.setLevel(logging.WARNING)
    logger.propagate = False
    _ear.begin(said)
    try:
        yield
    finally:
        _ear.end()
