"""Signing in and out. The browser keeps a random secret, the ledger its hash: so a sign-in survives a restart, and ends
everywhere at once."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Iterable
from datetime import timedelta
from threading import BoundedSemaphore, Lock
from typing import NoReturn

from services.domain.actors import THE_DESK, Actor, Role, require_operator
from services.domain.clock import Clock
from services.domain.errors import InvalidRequest, SignInPaused, SignInRefused
from services.domain.sign_ins import NewSignIn, Proof, SignedIn, User
from services.ledger.audit import Audit
from services.ledger.users import Known, Users, clean_name, folded
from services.logs import hide
from services.sign_in.attempts import Attempts
from services.sign_in.passwords import LONGEST, Scrypt, require_good

FRESH_SECONDS = 5.0
"""A look at a sign-in is good for so long: what another process changes (`python -m dashboard users`) holds then."""
TOLD_SECONDS = 60.0
_MOST_KEPT = 2_000
_AT_ONCE = 2
"""Hashes that are computed at the same time: each takes 32 MB."""
_LONGEST_SECRET = 100

log = logging.getLogger(__name__)


class SignIns:
    """Users and sign-ins of one data folder. `clock` is the host's: a simulated market day signs nobody out."""

    def __init__(
        self,
        *,
        users: Users,
        audit: Audit,
        clock: Clock,
        monotonic: Callable[[], float],
        hours: float,
        attempts: Attempts | None = None,
        scrypt: Scrypt | None = None,
    ) -> None:
        self._users = users
        self._audit = audit
        self._clock = clock
        self._monotonic = monotonic
        self._life = timedelta(hours=hours)
        self._attempts = attempts or Attempts(monotonic=monotonic)
        self._scrypt = scrypt or Scrypt()
        self._nobody = ""  # the hash of no password: an unknown name takes as long as a wrong password
        self._hashing = BoundedSemaphore(_AT_ONCE)
        self._seen: dict[str | int, tuple[float, SignedIn]] = {}  # by the secret's hash, and by number
        self._ended = 0  # how often that was emptied, in whole or in part
        self._told: list[Callable[[frozenset[int]], None]] = []
        self._lock = Lock()  # guards the three above
        self._last_told = float("-inf")  # that attempts are not looked at

    # -- in and out --------------------------------------------------------------------------------------------

    def sign_in(
        self, name: str, password: str, *, address: str = "", browser: str = "", before: str | None = None
    ) -> NewSignIn:
        """A new sign-in for who knows the password. `before`: the secret that the browser still has of an earlier one.
        Raises `SignInRefused`, or `SignInPaused` with the time to wait."""
        known = self._users.find(name) if name.strip() else None
        keys = self._keys(folded(name), address, before)
        made = self._tried(keys, lambda: self._by_password(known, password, address, browser))
        if made is None:
            self._refuse(known.user.name if known is not None else None, keys, address, "wrong name or password")
        return made

    def sign_in_issued(self, email: str, once: str, *, address: str = "", browser: str = "") -> NewSignIn:
        """A new sign-in for who was vouched for by the issuer, with a mark that is good a single time."""
        keys = (f"issued {address}",)
        # Names are kept folded, and by that letters of other alphabets become plain ones: a different address.
        known = self._users.find(email) if email.isascii() else None
        user = known.user if known is not None and known.user.proof is Proof.ISSUER else None

        def begin() -> NewSignIn | None:
            return None if user is None else self._begin(user, address=address, browser=browser, once=_hash(once))

        made = self._tried(keys, begin)
        if made is None:
            why = "nobody of this e-mail address may sign in" if user is None else "this proof was used before"
            self._refuse(None if user is None else user.name, keys, address, why)
        return made

    def look(self, secret: str) -> SignedIn | None:
        """Whose sign-in `secret` belongs to, while that is good. Nothing is asked of the ledger for 5 s after."""
        if not secret or len(secret) > _LONGEST_SECRET or not secret.isascii():
            return None
        mark = _hash(secret)
        return self._fresh(mark) or self._asked(mark, lambda: self._users.of_secret(mark))

    def seen(self, secret: str) -> SignedIn | None:
        """The same from memory alone; `None` also where the ledger would have to be asked."""
        return self._fresh(_hash(secret)) if 0 < len(secret) <= _LONGEST_SECRET else None

    def still(self, number: int) -> SignedIn | None:
        """The sign-in of that number, while it is good; as fresh as `look`."""
        return self._fresh(number) or self._asked(number, lambda: self._users.of_number(number))

    def is_over(self, one: SignedIn) -> bool:
        """Has the time of that sign-in run out? Told without the ledger, which alone knows of ends before that."""
        return one.ends_at <= self._clock.now()

    def end(self, number: int, *, actor: Actor, why: str = "signed out") -> None:
        """End one sign-in, in all tabs. Whoever it belongs to may, and operators."""
        found = self._users.of_number(number)
        if found is None:
            return
        if found.user != actor.name:
            require_operator(actor, "sign others out")
        self._tell(self._users.end([number], actor=actor, why=why))

    def everybody(self) -> list[SignedIn]:
        """Who is signed in now, the newest first."""
        return self._users.good()

    def when_ended(self, told: Callable[[frozenset[int]], None]) -> Callable[[], None]:
        """Have `told` called with the numbers of sign-ins that are ended here. What is returned takes it back."""
        with self._lock:
            self._told.append(told)

        def forget() -> None:
            with self._lock:
                self._told.remove(told)

        return forget

    # -- users -------------------------------------------------------------------------------------------------

    def users(self) -> list[User]:
        """Everybody who may sign in, by name."""
        return self._users.all()

    def any_user(self) -> bool:
        """Is there anybody who may sign in?"""
        return self._users.any()

    def add(self, name: str, role: Role, password: str | None, *, actor: Actor) -> User:
        """A new user; without a password one whom the issuer vouches for, by the e-mail address `name`."""
        require_operator(actor, "add users")
        name = clean_name(name)
        if password is None:
            if "@" not in name or not name.isascii():
                raise InvalidRequest("who signs in by the issuer is named by an e-mail address in plain letters")
            return self._users.add(name, role, Proof.ISSUER, None, actor=actor)
        hide(password)
        require_good(password, name)
        return self._users.add(name, role, Proof.PASSWORD, self._scrypt.hash(password), actor=actor)

    def set_role(self, name: str, role: Role, *, actor: Actor) -> User:
        """What they may do from now on, in every tab that is open."""
        require_operator(actor, "change roles")
        changed = self._users.set_role(name, role, actor=actor)
        with self._lock:
            self._ended += 1
            self._seen.clear()
        return changed

    def set_password(self, name: str, password: str, *, actor: Actor) -> User:
        """Another password. Every sign-in of theirs ends."""
        hide(password)
        known = self._users.find(name)
        if known is not None and known.user.name != actor.name:
            require_operator(actor, "set the passwords of others")
        require_good(password, folded(name))
        mine = self._numbers_of(name)
        changed = self._users.set_password(name, self._scrypt.hash(password), actor=actor)
        self._tell(mine)
        return changed

    def remove(self, name: str, *, actor: Actor) -> User:
        """Nobody of that name signs in any more. Every sign-in of theirs ends."""
        require_operator(actor, "remove users")
        mine = self._numbers_of(name)
        gone = self._users.remove(name, actor=actor)
        self._tell(mine)
        return gone

    def sign_out(self, name: str, *, actor: Actor) -> int:
        """End every sign-in of that user; gives how many there were."""
        require_operator(actor, "sign others out")
        if self._users.find(name) is None:
            raise InvalidRequest(f"there is no user {folded(name)[:80]}")
        ended = self._users.end(self._numbers_of(name), actor=actor, why="signed out by an operator")
        self._tell(ended)
        return len(ended)

    # -- inside ------------------------------------------------------------------------------------------------

    def _fresh(self, mark: str | int) -> SignedIn | None:
        seen = self._seen.get(mark)
        if seen is None or self._monotonic() - seen[0] >= FRESH_SECONDS or self.is_over(seen[1]):
            return None
        return seen[1]

    def _asked(self, mark: str | int, ask: Callable[[], SignedIn | None]) -> SignedIn | None:
        now, ended = self._monotonic(), self._ended
        found = ask()
        with self._lock:
            self._seen.pop(mark, None)
            if found is not None and ended == self._ended:  # else one has ended while the ledger was asked
                while len(self._seen) >= _MOST_KEPT:
                    del self._seen[next(iter(self._seen))]
                self._seen[mark] = (now, found)
        return found

    def _keys(self, name: str, address: str, before: str | None) -> tuple[str, ...]:
        """What an attempt is counted under. A browser that is known for this name is counted by itself."""
        if before and len(before) <= _LONGEST_SECRET:
            known = self._users.known_browser(_hash(before))
            if known is not None and known[1] == name:
                return (f"browser {known[0]}",)
        return f"name {_hash(name)}", f"address {address}"

    def _tried(self, keys: tuple[str, ...], attempt: Callable[[], NewSignIn | None]) -> NewSignIn | None:
        """What comes of one attempt; `None`: it was wrong, which the caller says and writes down. What fails for
        another reason, as a disk does, is held against nobody."""
        self._admit(keys)
        try:
            made = attempt()
        except BaseException:
            self._attempts.take_back(keys)
            raise
        if made is not None:
            self._attempts.right(keys)
        return made

    def _by_password(self, known: Known | None, password: str, address: str, browser: str) -> NewSignIn | None:
        with self._hashing:
            self._nobody = self._nobody or self._scrypt.hash(secrets.token_urlsafe(16))
            kept = known.password if known is not None and known.password else self._nobody
            right = len(password) <= LONGEST and self._scrypt.matches(password, kept)
        if not right or known is None or known.password is None:
            return None
        return self._begin(known.user, address=address, browser=browser, password=known.password)

    def _admit(self, keys: tuple[str, ...]) -> None:
        try:
            self._attempts.admit(keys, stranger=not keys[0].startswith("browser "))
        except SignInPaused as error:
            now = self._monotonic()
            if now - self._last_told >= TOLD_SECONDS:  # whoever goes on trying must not fill the log with it
                self._last_told = now
                log.warning("attempts to sign in are not looked at: %s", error)
            raise

    def _refuse(self, user: str | None, keys: tuple[str, ...], address: str, why: str) -> NoReturn:
        """Write a wrong attempt down; not a name that nobody has: it may be a password in the wrong field."""
        paused = self._attempts.wrong(keys)  # first: it counts also where it cannot be written down
        if paused:
            log.warning("signing in is paused after too many wrong attempts, last from %s", address[:60])
        target = user or "a name that nobody has"
        self._audit.add(THE_DESK, "sign-in refused", target, None, {"address": address[:60], "why": why})
        if paused:
            seconds = int(self._attempts.pause_seconds)
            self._audit.add(THE_DESK, "sign-in paused", target, None, {"address": address[:60], "seconds": seconds})
        raise SignInRefused(f"{why[:1].upper()}{why[1:]}")

    def _begin(
        self, user: User, *, address: str, browser: str, password: str | None = None, once: str | None = None
    ) -> NewSignIn | None:
        """`None`: password or user were changed while they were looked at, or the mark came before."""
        secret = secrets.token_urlsafe(32)
        hide(secret)
        until = self._clock.now() + self._life
        try:
            begun = self._users.begin(
                user, _hash(secret), until, address=address, browser=browser, password=password, once=once
            )
        except InvalidRequest:
            return None
        log.info("%s signed in", user.name)
        return NewSignIn(begun, secret)

    def _numbers_of(self, name: str) -> list[int]:
        return [one.number for one in self._users.good() if one.user == folded(name)]

    def _tell(self, ended: Iterable[int]) -> None:
        """Nobody comes in with these any more; who has tabs open is told."""
        numbers = frozenset(ended)
        with self._lock:
            self._ended += 1
            self._seen = {mark: kept for mark, kept in self._seen.items() if kept[1].number not in numbers}
            told = list(self._told)
        for tell in told:
            tell(numbers)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
