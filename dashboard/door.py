"""What the gate found out about a request, for the routes behind it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Scope

from services.domain.sign_ins import SignedIn

DOOR = "desk.door"
LOCAL = "local"
"""Who sits at this machine and need not sign in."""


@dataclass(frozen=True, slots=True)
class Door:
    """`needed`: whoever asks has to sign in; `person`: who has."""

    needed: bool
    person: SignedIn | None

    @property
    def owner(self) -> str:
        """Whose sign-in it is: its number, `LOCAL`, or nothing."""
        if self.person is not None:
            return str(self.person.number)
        return "" if self.needed else LOCAL


def door_of(scope: Scope) -> Door:
    """What the gate found. Without a gate nobody is let in."""
    found = scope.get(DOOR)
    return found if isinstance(found, Door) else Door(True, None)
