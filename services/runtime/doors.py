"""The users and the keys of a data folder, with the desk running or not: they are managed from the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from services.acting import local_user
from services.alerts.channels import ChannelBook
from services.alerts.sending import AppriseSender
from services.domain.clock import Clock, HostClock
from services.ledger.alert_channels import Channels
from services.ledger.audit import Audit
from services.ledger.engine import LEDGER_FILE, Ledger
from services.ledger.opening import open_ledger
from services.ledger.sealed_tokens import LedgerTokens
from services.ledger.users import Users
from services.logs import hide
from services.runtime.sharing import guesses_of
from services.settings import Settings, ensure_folder
from services.shared.shared import Shared
from services.sign_in import SignIns
from services.sign_in.attempts import Attempts
from services.storage.token_store import TokenStore

AWAY_SECONDS = 600.0
"""While PostgreSQL is away, who was there before may go on looking for so long."""


def passwords_in(url: str) -> set[str]:
    """The password in an address of a server, as it is written there and as it is."""
    given = urlsplit(url).password
    return set() if given is None else {given, unquote(given)}


def ledger_of(settings: Settings, folder: Path, now: datetime) -> Ledger:
    """The ledger of a desk: the database of `DESK_LEDGER_URL`, else the file in its data folder."""
    given = settings.ledger_url
    where = folder / LEDGER_FILE if given is None else given.get_secret_value()
    return open_ledger(where, backups=folder / "backups", now=now, mode=folder.name, later=True)


def tokens_of(settings: Settings, folder: Path, clock: Clock, ledger: Callable[[], Ledger]) -> TokenStore:
    """The broker's tokens: in the ledger where machines share one, else in their own file."""
    given = settings.encryption_key
    place = None if settings.ledger_url is None else LedgerTokens(ledger())
    return TokenStore(folder, key=given.get_secret_value() if given else None, clock=clock, place=place)


def sign_ins_of(ledger: Ledger, settings: Settings, shared: Shared | None = None) -> SignIns:
    """Users and sign-ins in `ledger`. By the host's clock: signing in has nothing to do with a simulated market day.
    Wrong attempts are counted with the other processes where there are any."""
    clock, own = HostClock(time.time), Attempts(monotonic=time.monotonic)
    return SignIns(
        users=Users(ledger, clock),
        audit=Audit(ledger, clock),
        clock=clock,
        monotonic=time.monotonic,
        hours=settings.sign_in_hours,
        attempts=own if shared is None else guesses_of(shared, own),
        without_ledger=0.0 if settings.ledger_url is None else AWAY_SECONDS,
    )


@contextmanager
def sign_ins_in(settings: Settings) -> Iterator[SignIns]:
    """The same for the data folder of `settings`, without a broker or anything else of a desk."""
    folder = ensure_folder(settings.folder)
    now = HostClock(time.time).now()
    with closing(ledger_of(settings, folder, now)) as ledger:
        yield sign_ins_of(ledger, settings)


def rotate_keys_in(settings: Settings) -> str:
    """Make a new key for what is encrypted in the data folder of `settings`, and encrypt it anew. What was done, in a
    sentence."""
    folder, clock = ensure_folder(settings.folder), HostClock(time.time)
    with closing(ledger_of(settings, folder, clock.now())) as ledger:
        store = tokens_of(settings, folder, clock, lambda: ledger)
        tokens = store.rotate()
        channels = ChannelBook(lambda: Channels(ledger, clock), lambda: store, AppriseSender(hide))
        lost, kept = channels.reseal(), len(channels.addresses())
        told = {"tokens": tokens, "addresses": kept - lost, "lost": lost}
        Audit(ledger, clock).add(local_user("command line"), "key changed", "token store", None, told)
    words = f"There is a new key; {tokens} tokens and {kept - lost} addresses of channels are encrypted with it."
    return f"{words} No key opens {lost} addresses: enter them anew." if lost else words
