"""The users and the keys of a data folder, with the desk running or not: they are managed from the command line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from services.acting import local_user
from services.alerts.channels import ChannelBook
from services.alerts.sending import AppriseSender
from services.domain.clock import HostClock
from services.ledger.alert_channels import Channels
from services.ledger.audit import Audit
from services.ledger.engine import LEDGER_FILE, Ledger, open_ledger
from services.ledger.users import Users
from services.logs import hide
from services.settings import Settings, ensure_folder
from services.sign_in import SignIns
from services.storage.token_store import TokenStore


def sign_ins_of(ledger: Ledger, settings: Settings) -> SignIns:
    """Users and sign-ins in `ledger`. By the host's clock: signing in has nothing to do with a simulated market day."""
    clock = HostClock(time.time)
    return SignIns(
        users=Users(ledger, clock),
        audit=Audit(ledger, clock),
        clock=clock,
        monotonic=time.monotonic,
        hours=settings.sign_in_hours,
    )


@contextmanager
def sign_ins_in(settings: Settings) -> Iterator[SignIns]:
    """The same for the data folder of `settings`, without a broker or anything else of a desk."""
    folder = ensure_folder(settings.folder)
    now = HostClock(time.time).now()
    with closing(open_ledger(folder / LEDGER_FILE, backups=folder / "backups", now=now)) as ledger:
        yield sign_ins_of(ledger, settings)


def rotate_keys_in(settings: Settings) -> str:
    """Make a new key for what is encrypted in the data folder of `settings`, and encrypt it anew. What was done, in a
    sentence."""
    folder, clock, given = ensure_folder(settings.folder), HostClock(time.time), settings.encryption_key
    store = TokenStore(folder, key=given.get_secret_value() if given else None, clock=clock)
    tokens = store.rotate()
    with closing(open_ledger(folder / LEDGER_FILE, backups=folder / "backups", now=clock.now())) as ledger:
        channels = ChannelBook(lambda: Channels(ledger, clock), lambda: store, AppriseSender(hide))
        lost, kept = channels.reseal(), len(channels.addresses())
        told = {"tokens": tokens, "addresses": kept - lost, "lost": lost}
        Audit(ledger, clock).add(local_user("command line"), "key changed", "token store", None, told)
    words = f"There is a new key; {tokens} tokens and {kept - lost} addresses of channels are encrypted with it."
    return f"{words} No key opens {lost} addresses: enter them anew." if lost else words
