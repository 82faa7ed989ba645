"""The channels that alerts go by. An address is a secret: sealed at rest, opened to send, never shown again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from services.alerts.sending import Sender
from services.domain.actors import Actor, require_operator
from services.domain.errors import TokenStoreLocked
from services.ledger.alert_channels import Channel, Channels
from services.ledger.alerts import Severity


class Vault(Protocol):
    """Seals with the key that tokens are kept under."""

    def seal(self, text: bytes) -> bytes: ...
    def unseal(self, sealed: bytes) -> tuple[bytes, bool]: ...


class ChannelBook:
    """Additions and removals, for operators, and the opened addresses, for the notifier."""

    def __init__(self, kept: Callable[[], Channels], vault: Callable[[], Vault], sender: Sender) -> None:
        self._kept = kept
        self._vault = vault
        self._sender = sender
        self._changed: Callable[[], None] = lambda: None

    def listen(self, changed: Callable[[], None]) -> None:
        """`changed()` is called whenever somebody has added, turned or removed a channel."""
        self._changed = changed

    def all(self) -> list[Channel]:
        """The oldest first."""
        return self._kept().all()

    def add(
        self,
        name: str,
        url: str,
        actor: Actor,
        *,
        least: Severity = Severity.WARNING,
        tell_end: bool = True,
    ) -> Channel:
        """A new channel at an address of the kind that apprise knows. `InvalidRequest`, without the address, if it is
        none. Sends nothing yet."""
        require_operator(actor, "change where alerts are sent")
        service = self._sender.service(url)
        sealed = self._vault().seal(url.strip().encode())
        made = self._kept().add(name, service, sealed, least=least, tell_end=tell_end, actor=actor)
        self._changed()
        return made

    def turn(self, id: int, active: bool, actor: Actor) -> Channel:
        """Send over it, or do not for now."""
        require_operator(actor, "change where alerts are sent")
        turned = self._kept().turn(id, active, actor)
        self._changed()
        return turned

    def remove(self, id: int, actor: Actor) -> None:
        """Forget it and its address."""
        require_operator(actor, "change where alerts are sent")
        self._kept().remove(id, actor)
        self._changed()

    def addresses(self) -> dict[int, bytes]:
        """The sealed addresses."""
        return self._kept().sealed()

    def opened(self, id: int, sealed: bytes) -> str:
        """The address. What an older key sealed is sealed anew on the way. Raises `TokenStoreLocked` if no key fits."""
        text, old = self._vault().unseal(sealed)
        if old:
            self._kept().reseal(id, sealed, self._vault().seal(text))
        return text.decode()

    def reseal(self) -> int:
        """After a change of keys: seal every address with the newest. How many could not be opened by any key; these
        have to be entered anew."""
        lost = 0
        for id, sealed in self.addresses().items():
            try:
                self.opened(id, sealed)
            except TokenStoreLocked:
                lost += 1
        return lost
