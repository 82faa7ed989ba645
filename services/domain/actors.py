"""Who acts: a person at a screen, a notebook, or the desk itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.domain.errors import InvalidRequest

MAX_NAME = 80


class Role(StrEnum):
    """What somebody may do."""

    VIEWER = "viewer"
    TRADER = "trader"
    OPERATOR = "operator"
    DESK = "desk"
    """The program itself: what reconciliation finds out."""

    @property
    def may_trade(self) -> bool:
        return self in {Role.TRADER, Role.OPERATOR}


@dataclass(frozen=True, slots=True)
class Actor:
    """One who acts. `session` tells two tabs, notebooks or processes of one person apart; it is no secret."""

    name: str
    role: Role = Role.TRADER
    session: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > MAX_NAME or not self.name.isprintable():
            raise InvalidRequest(f"whoever acts needs a name of 1 to {MAX_NAME} letters")
        if len(self.session) > MAX_NAME or not self.session.isprintable():
            raise InvalidRequest(f"the name of a session has at most {MAX_NAME} letters")
        object.__setattr__(self, "role", Role(self.role))


THE_DESK = Actor("desk", Role.DESK)
"""Nobody pressed a button: the program found it out."""
