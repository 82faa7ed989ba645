"""Persons who may sign in at the desk, and their sign-ins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.domain.actors import Actor, Role


class Proof(StrEnum):
    """How somebody shows who they are."""

    PASSWORD = "password"  # noqa: S105  # the kind of proof, no password
    ISSUER = "issuer"
    """By an OpenID Connect issuer, which tells the e-mail address."""


@dataclass(frozen=True, slots=True)
class User:
    """One who may sign in. `name` is in lower case; for `Proof.ISSUER` it is the e-mail address."""

    id: int
    name: str
    role: Role
    proof: Proof
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One sign-in, on one browser, until `ends_at`. `number` names it and is no secret."""

    number: int
    user: str
    role: Role
    began_at: datetime
    ends_at: datetime
    address: str = ""
    browser: str = ""

    def actor(self, session: str = "") -> Actor:
        """Who acts through it."""
        return Actor(self.user, self.role, session or f"sign-in {self.number}")


@dataclass(frozen=True, slots=True, repr=False)
class NewSignIn:
    """A sign-in that has just begun, and the secret that the browser keeps for it."""

    signed_in: SignedIn
    secret: str

    def __repr__(self) -> str:
        return f"NewSignIn({self.signed_in!r})"
