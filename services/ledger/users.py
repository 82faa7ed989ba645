"""Those who may sign in, and their sign-ins. Every change is written down in its own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from services.domain.actors import MAX_NAME, PERSONS, Actor, Role
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest
from services.domain.sign_ins import Proof, SignedIn, User
from services.ledger.audit import write_down
from services.ledger.engine import Ledger
from services.ledger.user_tables import sign_ins, users

KEPT_DAYS = 90
"""So long a sign-in that is over is remembered: by it a browser is known again."""
MOST_USERS = 200


@dataclass(frozen=True, slots=True, repr=False)
class Known:
    """A user with the hash of their password."""

    user: User
    password: str | None


class Users:
    """All users of one ledger. What cannot be done is an `InvalidRequest`."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    # -- users -------------------------------------------------------------------------------------------------

    def all(self) -> list[User]:
        """Everybody, by name."""
        with self._ledger.read() as connection:
            return [_user(row) for row in connection.execute(sa.select(users).order_by(users.c.name))]

    def any(self) -> bool:
        """Is there anybody who may sign in?"""
        with self._ledger.read() as connection:
            return connection.execute(sa.select(users.c.id).limit(1)).first() is not None

    def find(self, name: str) -> Known | None:
        """Who has that name, in whatever case."""
        with self._ledger.read() as connection:
            row = connection.execute(sa.select(users).where(users.c.name == folded(name))).one_or_none()
        return None if row is None else Known(_user(row), row.password)

    def add(self, name: str, role: Role, proof: Proof, password: str | None, *, actor: Actor) -> User:
        """A new user; `password` is its hash."""
        name, role, now = clean_name(name), _person(role), self._clock.now()
        with self._ledger.write() as connection:
            if connection.execute(sa.select(users.c.id).where(users.c.name == name)).first() is not None:
                raise InvalidRequest(f"there is a user {name} already")
            if (connection.scalar(sa.select(sa.func.count()).select_from(users)) or 0) >= MOST_USERS:
                raise InvalidRequest(f"there are {MOST_USERS} users already")
            told = {"name": name, "role": role.value, "proof": proof.value}
            row = connection.execute(
                sa.insert(users).values(**told, password=password, created_at=now, changed_at=now).returning(users)
            ).one()
            write_down(connection, now, actor, "user added", name, None, told)
            return _user(row)

    def set_role(self, name: str, role: Role, *, actor: Actor) -> User:
        """From now on they may do what `role` may; their sign-ins stay."""
        role = _person(role)
        return self._change(name, actor, "role changed", {"role": role.value}, told=True)

    def set_password(self, name: str, password: str, *, actor: Actor) -> User:
        """Another password (its hash); every sign-in of theirs ends."""
        return self._change(name, actor, "password changed", {"password": password}, told=False, end=True)

    def remove(self, name: str, *, actor: Actor) -> User:
        """Nobody of that name signs in any more; what they did stays in the audit."""
        now = self._clock.now()
        with self._ledger.write() as connection:
            found = _named(connection, name)
            connection.execute(sa.delete(sign_ins).where(sign_ins.c.user_id == found.id))
            connection.execute(sa.delete(users).where(users.c.id == found.id))
            write_down(connection, now, actor, "user removed", found.name, {"role": found.role.value}, None)
            return found

    # -- sign-ins ----------------------------------------------------------------------------------------------

    def begin(
        self,
        user: User,
        secret_hash: str,
        ends_at: datetime,
        *,
        address: str,
        browser: str,
        session: str = "",
        password: str | None = None,
        once: str | None = None,
    ) -> SignedIn:
        """A new sign-in of `user`. `password` is the hash of the one that was right a moment ago; `once` is a mark that
        may come a single time ever. Raises `InvalidRequest` if the mark came before, the password has been changed
        since it was looked at, or the user is gone."""
        now = self._clock.now()
        with self._ledger.write() as connection:
            connection.execute(sa.delete(sign_ins).where(sign_ins.c.began_at < now - timedelta(days=KEPT_DAYS)))
            found = _named(connection, user.name)
            if password is not None and password != connection.scalar(
                sa.select(users.c.password).where(users.c.id == found.id)
            ):
                raise InvalidRequest("the password has just been changed")
            if once and connection.execute(sa.select(sign_ins.c.number).where(sign_ins.c.once == once)).first():
                raise InvalidRequest("this proof was used before")
            number = connection.execute(
                sa.insert(sign_ins)
                .values(
                    user_id=found.id,
                    secret_hash=secret_hash,
                    once=once,
                    began_at=now,
                    ends_at=ends_at,
                    address=address[:60],
                    browser=browser[:120],
                )
                .returning(sign_ins.c.number)
            ).scalar_one()
            told = {"address": address[:60], "until": ends_at.isoformat(timespec="seconds"), "proof": found.proof.value}
            actor = Actor(found.name, found.role, session or f"sign-in {number}")
            write_down(connection, now, actor, "signed in", found.name, None, told)
        return SignedIn(number, found.name, found.role, now, ends_at, address[:60], browser[:120])

    def of_secret(self, secret_hash: str) -> SignedIn | None:
        """The sign-in of that secret, while it is good."""
        return self._good(sign_ins.c.secret_hash == secret_hash)

    def of_number(self, number: int) -> SignedIn | None:
        """The sign-in of that number, while it is good."""
        return self._good(sign_ins.c.number == number)

    def good(self) -> list[SignedIn]:
        """Every sign-in that is good now, the newest first."""
        with self._ledger.read() as connection:
            return [_signed_in(row) for row in connection.execute(self._joined())]

    def known_browser(self, secret_hash: str) -> tuple[int, str] | None:
        """The number of the sign-in, over or not, that this secret belonged to, and whose it was."""
        query = sa.select(sign_ins.c.number, users.c.name).join(users).where(sign_ins.c.secret_hash == secret_hash)
        with self._ledger.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.number, row.name)

    def end(self, numbers: list[int], *, actor: Actor, why: str) -> list[int]:
        """End those that are still good; gives their numbers."""
        now = self._clock.now()
        with self._ledger.write() as connection:
            rows = connection.execute(
                sa.select(sign_ins.c.number, users.c.name)
                .join(users)
                .where(sign_ins.c.number.in_(numbers), sign_ins.c.ended_at.is_(None))
            ).all()
            ended = [row.number for row in rows]
            connection.execute(sa.update(sign_ins).where(sign_ins.c.number.in_(ended)).values(ended_at=now))
            for row in rows:
                write_down(connection, now, actor, "signed out", row.name, None, {"sign-in": row.number, "why": why})
        return ended

    # -- inside ------------------------------------------------------------------------------------------------

    def _joined(self) -> sa.Select[Any]:
        return (
            sa.select(sign_ins, users.c.name, users.c.role)
            .join(users)
            .where(sign_ins.c.ended_at.is_(None), sign_ins.c.ends_at > self._clock.now())
            .order_by(sign_ins.c.number.desc())
        )

    def _good(self, mine: sa.ColumnElement[bool]) -> SignedIn | None:
        with self._ledger.read() as connection:
            row = connection.execute(self._joined().where(mine)).one_or_none()
        return None if row is None else _signed_in(row)

    def _change(
        self, name: str, actor: Actor, what: str, values: Mapping[str, str], *, told: bool, end: bool = False
    ) -> User:
        now = self._clock.now()
        with self._ledger.write() as connection:
            found = _named(connection, name)
            if what == "password changed" and found.proof is not Proof.PASSWORD:
                raise InvalidRequest(f"{found.name} signs in by the issuer and has no password here")
            connection.execute(sa.update(users).where(users.c.id == found.id).values(**values, changed_at=now))
            if end:
                mine = sa.and_(sign_ins.c.user_id == found.id, sign_ins.c.ended_at.is_(None))
                connection.execute(sa.update(sign_ins).where(mine).values(ended_at=now))
            before = {"role": found.role.value} if told else None
            write_down(connection, now, actor, what, found.name, before, dict(values) if told else None)
            return _user(connection.execute(sa.select(users).where(users.c.id == found.id)).one())


def folded(name: str) -> str:
    """The spelling by which a name is kept and found."""
    return name.strip().casefold()


def clean_name(name: str) -> str:
    """`name` as it is kept. `InvalidRequest` for one that cannot be."""
    kept = folded(name)
    if not 1 <= len(kept) <= MAX_NAME or not kept.isprintable() or any(letter.isspace() for letter in kept):
        raise InvalidRequest(f"a user's name has 1 to {MAX_NAME} letters, without blanks")
    if kept == "desk":
        raise InvalidRequest("the desk itself acts under that name; take another one")
    return kept


def _person(role: Role) -> Role:
    if role not in PERSONS:
        raise InvalidRequest(f"a person is {', '.join(PERSONS)}, not {role}")
    return Role(role)


def _named(connection: sa.Connection, name: str) -> User:
    row = connection.execute(sa.select(users).where(users.c.name == folded(name))).one_or_none()
    if row is None:
        raise InvalidRequest(f"there is no user {folded(name)[:MAX_NAME]}")
    return _user(row)


def _user(row: sa.Row[Any]) -> User:  # Any: cells of several kinds
    return User(row.id, row.name, Role(row.role), Proof(row.proof), row.created_at)


def _signed_in(row: sa.Row[Any]) -> SignedIn:  # Any: cells of several kinds
    return SignedIn(row.number, row.name, Role(row.role), row.began_at, row.ends_at, row.address, row.browser)
