"""Who acts: a person at a screen, a notebook, or the desk itself; and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.domain.errors import Forbidden, InvalidRequest

MAX_NAME = 80


class Role(StrEnum):
    """What somebody may do. An operator may all that a trader may, a trader all that a viewer may."""

    VIEWER = "viewer"
    TRADER = "trader"
    OPERATOR = "operator"
    DESK = "desk"
    """The program itself: what reconciliation finds out."""

    @property
    def may_trade(self) -> bool:
        return self in {Role.TRADER, Role.OPERATOR}

    @property
    def may_operate(self) -> bool:
        """Users, broker login, limits, channels, and letting orders leave again."""
        return self is Role.OPERATOR


PERSONS = (Role.VIEWER, Role.TRADER, Role.OPERATOR)
"""The roles that a person can have."""


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


def require_trader(actor: Actor) -> None:
    """Raises `Forbidden` for who may only look."""
    if not actor.role.may_trade:
        raise Forbidden(f"{actor.name} may look at this desk, not trade on it or change anything")


def require_operator(actor: Actor, what: str) -> None:
    """Raises `Forbidden` for all but operators; `what` is what was to be done ("change the limits")."""
    if not actor.role.may_operate:
        raise Forbidden(f"only an operator may {what}; {actor.name} is a {actor.role.value} here")
