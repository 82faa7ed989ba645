"""Sends alerts over the channels, off everybody's thread, and remembers what became of each message.

What is to be sent follows from the alerts and from what was sent already, both in the ledger: a kill loses no message.
A channel that refuses rests for a while and then gets everything that waited, in one message.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from threading import Lock

from services.alerts.book import AlertBook
from services.alerts.channel_health import ChannelHealth, ChannelState
from services.alerts.channels import ChannelBook
from services.alerts.messages import body, title
from services.alerts.rules import CHANNEL_FAILING
from services.alerts.scopes import plain
from services.alerts.sending import Sender
from services.domain.clock import Clock
from services.domain.errors import StorageError, TokenStoreLocked, UpstoxError
from services.ledger.alert_channels import Channel, Channels, Claim, What
from services.ledger.alerts import Alert, Severity
from services.storage.background import Recurring

TOLD_HOURS = 24
"""An alert that could not be told for so long is told no more."""
KEPT_DAYS = 90
"""What became of a message is forgotten after that, at a start."""
_PUT_OFF_SECONDS = 5.0

log = logging.getLogger(__name__)

_Mark = tuple[int, object, What]
"""Channel, alert (by number, or by kind, subject and instant while it has none), what was told of it."""


class Notifier:
    """The thread `notifier`, alive while there is something to send. Touches the ledger and the network."""

    def __init__(
        self,
        *,
        book: AlertBook,
        channels: ChannelBook,
        kept: Callable[[], Channels],
        sender: Sender,
        clock: Clock,
        name: Callable[[], str],
        redact: Callable[[str], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name()` is what the desk is called in a message."""
        self._book = book
        self._channels = channels
        self._kept = kept
        self._sender = sender
        self._clock = clock
        self._name = name
        self._redact = redact
        self._health = ChannelHealth(clock, monotonic=monotonic)
        self._guard = Lock()  # guards the next
        self._tests: list[int] = []
        self._list: list[Channel] = []  # as the ledger told them last, with their sealed addresses
        self._sealed: dict[int, bytes] = {}
        self._done: set[_Mark] = set()
        self._unwritten: list[tuple[int, Alert, What]] = []  # sent while the ledger took nothing
        self._loaded = False
        self._thread = Recurring(self.step, name="notifier")
        channels.listen(lambda: self.wake())

    def wake(self) -> None:
        """There may be something to send."""
        self._thread.ensure()

    def test(self, id: int) -> None:
        """Have a test message sent soon; `states` tells what became of it."""
        with self._guard:
            if id not in self._tests:
                self._tests.append(id)
        self.wake()

    def close(self) -> None:
        self._thread.close()

    def states(self) -> list[ChannelState]:
        """Every channel and how it does. Raises what the disk says."""
        channels = self._channels.all()
        with self._guard:
            tests = list(self._tests)
        return [self._health.state(channel, testing=channel.id in tests) for channel in channels]

    def failures(self) -> dict[str, tuple[int, str]] | None:
        """The channels that refuse, by name: how often in a row, and why. `None`: what became of the messages of before
        the start is not known yet."""
        if not self._loaded:
            return None
        return self._health.failing(channel for channel in self._list if channel.active)

    def step(self) -> float | None:
        """Send what is to be sent; seconds until the next try, `None` when nothing waits."""
        tests = self._take_tests()  # first: else one of a channel that is added right now would be taken for a lost one
        waiting = not self._look()
        for id in tests:
            waiting |= not self._send_test(id, give_up=not waiting)
        alerts = self._book.recent(self._clock.now() - timedelta(hours=TOLD_HOURS)) if self._list else []
        for channel in self._list:
            pending = self._pending(channel, alerts) if channel.active else []
            if pending and not self._send(channel, pending):
                waiting = True
        return _PUT_OFF_SECONDS if waiting or self._unwritten else None

    # -- what is to be sent --------------------------------------------------------------------------------------

    def _look(self) -> bool:
        """Read channels, and once what was sent before. What cannot be read stays as it was known. False: something
        could not be read."""
        try:
            channels, sealed = self._channels.all(), self._channels.addresses()
            self._list, self._sealed = [one for one in channels if one.id in sealed], sealed
            if not self._loaded:
                self._load()
        except UpstoxError as error:
            log.info("the channels cannot be read now: %s", error)
            return False
        try:
            self._write_down()
        except UpstoxError as error:
            log.info("what was sent cannot be written down now: %s", error)
        return True

    def _load(self) -> None:
        kept, now = self._kept(), self._clock.now()
        results = kept.last_results()
        self._done |= kept.arrived()
        self._health.remember(results)
        self._loaded = True
        try:
            kept.prune(now - timedelta(days=KEPT_DAYS))
        except UpstoxError as error:  # a disk that takes nothing: what was sent is known all the same
            log.info("old messages are not forgotten now: %s", error)

    def _pending(self, channel: Channel, alerts: Iterable[Alert]) -> list[tuple[Alert, What]]:
        """What this channel has not been told yet, the oldest first. A new channel is told of what is open."""
        found = []
        for alert in alerts:
            if alert.kind == CHANNEL_FAILING and channel.name in {alert.subject, plain(alert.subject)}:
                continue
            if not self._is_done(channel, alert, What.OPENED):
                matters = alert.severity.rank >= channel.least.rank  # who heard of it hears of its end, whatever it is
                if matters and (alert.is_open or alert.raised_at >= channel.created_at):
                    found.append((alert, What.OPENED))
            elif channel.tell_end and not alert.is_open and not self._is_done(channel, alert, What.ENDED):
                found.append((alert, What.ENDED))
        return found

    def _is_done(self, channel: Channel, alert: Alert, what: What) -> bool:
        return any((channel.id, name, what) in self._done for name in _names(alert))

    # -- sending -------------------------------------------------------------------------------------------------

    def _send(self, channel: Channel, pending: Sequence[tuple[Alert, What]]) -> bool:
        """Send all of it in one message. False: not now, it failed, or another process is at some of it."""
        if self._health.rests(channel.id):
            return False
        claims = [(alert, what, self._claim(channel, alert, what)) for alert, what in pending]
        mine = [(alert, what) for alert, what, claim in claims if claim is Claim.MINE]
        all_settled = all(claim is not Claim.ELSEWHERE for _, _, claim in claims)
        if not mine:
            return all_settled
        worst = max((alert.severity for alert, what in mine if what is What.OPENED), key=_rank, default=None)
        reason = self._try(channel, title(self._name(), mine), body(mine), worst)
        for alert, what in mine:
            # An alert that was over before it could be told was told whole; its end is noted first, so that nobody who
            # sees that its beginning was sent tells the end once more.
            whole = reason is None and what is What.OPENED and not alert.is_open and channel.tell_end
            told = [What.ENDED, What.OPENED] if whole else [what]
            if reason is None:
                self._done |= {(channel.id, name, one) for name in _names(alert) for one in told}
            for one in told:
                self._note(channel, alert, one, reason)
        return reason is None and all_settled

    def _send_test(self, id: int, *, give_up: bool) -> bool:
        """Send a test. False: nobody knows its channel yet, and it waits until channels can be read (`give_up`: they
        were)."""
        channel = next((one for one in self._list if one.id == id), None)
        if channel is None:
            if give_up:
                self._finish_test(id)
            return give_up
        title = f"{self._name()}: test"
        reason = self._try(channel, title, f"This is a test. Alerts of {self._name()} arrive here.", None)
        try:
            self._kept().claim(id, None, What.TEST)
            self._kept().told(id, None, What.TEST, reason)
        except StorageError as error:
            log.warning("the result of a test could not be kept: %s", error)
        self._finish_test(id)
        return True

    def _try(self, channel: Channel, title: str, body: str, severity: Severity | None) -> str | None:
        """Send; why it failed, `None` if it did not."""
        try:
            url = self._channels.opened(channel.id, self._sealed[channel.id])
            self._sender.send(url, self._redact(title), self._redact(body), severity)
        except TokenStoreLocked:
            reason = "its address cannot be opened: the key that it was sealed with is gone. Enter it anew"
        except UpstoxError as error:
            reason = self._redact(str(error))
        else:
            self._health.took(channel.id)
            log.info("told over the channel %s: %s", channel.name, title)
            return None
        self._health.refused(channel.id, reason)
        log.warning("the channel %s took no message: %s", channel.name, reason)
        return reason

    def _claim(self, channel: Channel, alert: Alert, what: What) -> Claim:
        """Is it ours to send? Another process of this desk may have taken it."""
        if not alert.is_kept:
            return Claim.MINE
        try:
            claim = self._kept().claim(channel.id, alert.id, what)
        except StorageError:
            return Claim.MINE  # better told twice than not
        if claim is Claim.SENT:
            self._done.add((channel.id, alert.id, what))
        return claim

    def _note(self, channel: Channel, alert: Alert, what: What, reason: str | None) -> None:
        """Write down what became of it. What was sent and cannot be written down now is written later."""
        if alert.is_kept:
            try:
                self._kept().told(channel.id, alert.id, what, reason)
                return
            except StorageError as error:
                log.info("a delivery could not be kept: %s", error)
        if reason is None:
            self._unwritten.append((channel.id, alert, what))

    def _write_down(self) -> None:
        if not self._unwritten:
            return
        since = min(alert.raised_at for _, alert, _ in self._unwritten) - timedelta(seconds=1)
        numbers = {_uid(one): one.id for one in self._book.recent(since) if one.is_kept}
        left = []
        for channel_id, alert, what in self._unwritten:
            number = numbers.get(_uid(alert))
            if number is None:
                left.append((channel_id, alert, what))
            else:
                self._kept().told(channel_id, number, what, None)
        self._unwritten = left if len(left) < 1000 else left[-1000:]

    # -- inside --------------------------------------------------------------------------------------------------

    def _take_tests(self) -> list[int]:
        with self._guard:
            return list(self._tests)

    def _finish_test(self, id: int) -> None:
        with self._guard:
            self._tests = [one for one in self._tests if one != id]


def _uid(alert: Alert) -> tuple[str, str, datetime]:
    return alert.kind, alert.subject, alert.raised_at


def _names(alert: Alert) -> list[object]:
    """By what it may have been marked as told."""
    return [_uid(alert), alert.id] if alert.is_kept else [_uid(alert)]


def _rank(severity: Severity) -> int:
    return severity.rank
