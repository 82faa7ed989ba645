"""Signing in and out, and what happens to those who guess."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.acting import local_user
from services.domain.actors import Actor, Role
from services.domain.errors import Forbidden, InvalidRequest, SignInPaused, SignInRefused, StorageError
from services.sign_in.attempts import FORGET_SECONDS, MOST_WRONG, PAUSE_SECONDS, Attempts
from services.sign_in.sign_ins import FRESH_SECONDS
from tests.support.clocks import FakeMonotonic
from tests.support.doors import OPERATOR, PASSWORD, QUICK, House, house

ON_BOTH = True


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        yield made


def wrong(home: House, times: int, name: str = "asha", address: str = "10.0.0.9", before: str | None = None) -> None:
    for _ in range(times):
        with pytest.raises(SignInRefused):
            home.sign_ins.sign_in(name, "wrong", address=address, before=before)


def test_who_knows_the_password_comes_in_and_the_ledger_has_no_word_of_it(home: House, tmp_path: Path) -> None:
    made = home.sign_ins.sign_in(" Asha ", PASSWORD, address="10.0.0.9", browser="Firefox")

    assert (made.signed_in.user, made.signed_in.role) == ("asha", Role.TRADER)
    assert home.sign_ins.look(made.secret) == made.signed_in
    assert home.noted("signed in") == 1
    everything = b"".join(file.read_bytes() for file in tmp_path.glob("ledger.db*"))
    assert made.secret.encode() not in everything
    assert PASSWORD.encode() not in everything
    assert made.secret not in repr(made)


def test_a_sign_in_survives_a_restart_until_its_time_is_over(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        secret = home.sign_ins.sign_in("asha", PASSWORD).secret
    with house(tmp_path, fresh=False) as home:
        assert home.sign_ins.look(secret) is not None
        home.later(12 * 3600 - 1)
        assert home.sign_ins.look(secret) is not None
        home.later(1)
        assert home.sign_ins.look(secret) is None


@pytest.mark.parametrize(
    ("name", "password"),
    [("asha", "wrong"), ("nobody", PASSWORD), ("", PASSWORD), ("asha", ""), ("asha", PASSWORD + "x" * 300)],
)
def test_who_does_not_is_told_the_same_whatever_was_wrong(home: House, name: str, password: str) -> None:
    with pytest.raises(SignInRefused) as error:
        home.sign_ins.sign_in(name, password, address="10.0.0.9")

    assert str(error.value) == "Wrong name or password"
    assert home.noted("sign-in refused") == 1


def test_a_name_that_nobody_has_is_not_kept_for_it_may_be_a_password(home: House, tmp_path: Path) -> None:
    wrong(home, 1, name="My-Own-Secret-Word")

    everything = b"".join(file.read_bytes() for file in tmp_path.glob("ledger.db*"))
    assert b"my-own-secret" not in everything.lower()


def test_ten_wrong_passwords_lock_for_a_time_and_are_audited(home: House) -> None:
    wrong(home, MOST_WRONG)

    with pytest.raises(SignInPaused) as paused:
        home.sign_ins.sign_in("asha", PASSWORD, address="10.0.0.77")
    assert 0 < paused.value.wait_seconds <= PAUSE_SECONDS
    assert home.noted("sign-in refused") == MOST_WRONG
    assert home.noted("sign-in paused") == 1
    told = home.audit.of_kinds(["sign-in paused"], 1)[0]
    assert (told.target, told.after) == ("asha", {"address": "10.0.0.9", "seconds": int(PAUSE_SECONDS)})

    home.later(PAUSE_SECONDS)
    assert home.sign_ins.sign_in("asha", PASSWORD, address="10.0.0.77")


def test_a_name_that_nobody_has_is_paused_like_any_other(home: House) -> None:
    wrong(home, MOST_WRONG, name="nobody")

    with pytest.raises(SignInPaused):
        home.sign_ins.sign_in("nobody", "x")


def test_the_right_password_in_time_forgets_the_wrong_ones(home: House) -> None:
    for _ in range(3):
        wrong(home, MOST_WRONG - 1, address="")
        home.sign_ins.sign_in("asha", PASSWORD)


def test_guessing_many_names_from_one_address_pauses_that_address(home: House) -> None:
    for number in range(3 * MOST_WRONG):
        wrong(home, 1, name=f"user{number}")

    with pytest.raises(SignInPaused):
        home.sign_ins.sign_in("asha", PASSWORD, address="10.0.0.9")
    assert home.sign_ins.sign_in("asha", PASSWORD, address="10.0.0.10")


def test_a_stranger_cannot_lock_somebody_out_of_a_browser_that_is_known(home: House) -> None:
    mine = home.sign_ins.sign_in("asha", PASSWORD, address="10.0.0.1")
    home.sign_ins.end(mine.signed_in.number, actor=mine.signed_in.actor())
    wrong(home, MOST_WRONG)

    with pytest.raises(SignInPaused):
        home.sign_ins.sign_in("asha", PASSWORD, address="10.0.0.1")
    assert home.sign_ins.sign_in("asha", PASSWORD, address="10.0.0.1", before=mine.secret)


def test_a_browser_that_is_known_gets_no_more_guesses_than_others_nor_for_other_names(home: House) -> None:
    mine = home.sign_ins.sign_in("asha", PASSWORD)
    wrong(home, MOST_WRONG, before=mine.secret)

    with pytest.raises(SignInPaused):
        home.sign_ins.sign_in("asha", PASSWORD, before=mine.secret)
    wrong(home, MOST_WRONG, name="vina", before=mine.secret)
    with pytest.raises(SignInPaused):
        home.sign_ins.sign_in("vina", PASSWORD, before=mine.secret)


def no_disk(*given: object, **named: object) -> None:
    raise StorageError("the disk takes nothing")


def test_what_the_disk_refuses_is_not_held_against_who_knows_the_password(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.sign_ins.add("ravi@example.com", Role.VIEWER, None, actor=OPERATOR)
    wrong(home, MOST_WRONG - 1)
    with monkeypatch.context() as broken:
        broken.setattr(home.users, "begin", no_disk)
        for _ in range(MOST_WRONG + 2):
            with pytest.raises(StorageError):
                home.sign_ins.sign_in("asha", PASSWORD, address="10.0.0.9")
            with pytest.raises(StorageError):
                home.sign_ins.sign_in_issued("ravi@example.com", "nonce", address="10.0.0.9")

    assert home.sign_ins.sign_in_issued("ravi@example.com", "nonce", address="10.0.0.9")
    wrong(home, 1)  # the tenth: nothing was forgotten either
    with pytest.raises(SignInPaused):
        home.sign_ins.sign_in("asha", PASSWORD, address="10.0.0.9")


def test_a_hash_that_cannot_be_read_locks_nobody_out(home: House) -> None:
    home.users.set_password("asha", "no hash at all", actor=OPERATOR)
    for _ in range(2 * MOST_WRONG):
        with pytest.raises(StorageError):
            home.sign_ins.sign_in("asha", PASSWORD)

    home.sign_ins.set_password("asha", PASSWORD, actor=OPERATOR)
    assert home.sign_ins.sign_in("asha", PASSWORD)


def test_a_wrong_password_counts_also_where_the_audit_cannot_be_written(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(home.audit, "add", no_disk)
        for _ in range(MOST_WRONG):
            with pytest.raises(StorageError):
                home.sign_ins.sign_in("asha", "wrong")

    with pytest.raises(SignInPaused):
        home.sign_ins.sign_in("asha", PASSWORD)


def test_what_is_under_way_is_waited_for_and_pauses_nobody() -> None:
    monotonic = FakeMonotonic()
    attempts = Attempts(monotonic=monotonic)
    for _ in range(MOST_WRONG):
        attempts.admit(["a"])
    with pytest.raises(SignInPaused) as wait:
        attempts.admit(["a"])

    assert wait.value.wait_seconds <= 1
    assert not attempts.wrong(["a"]), "one was wrong; of the others nobody knows"
    for _ in range(MOST_WRONG - 1):
        attempts.take_back(["a"])
    for _ in range(MOST_WRONG - 2):
        attempts.admit(["a"])
        assert not attempts.wrong(["a"])
    attempts.admit(["a"])
    assert attempts.wrong(["a"])


def test_many_guesses_at_once_are_no_more_than_one_after_another(home: House) -> None:
    def guess(_: int) -> bool:
        try:
            home.sign_ins.sign_in("asha", "wrong", address="10.0.0.9")
        except SignInPaused:
            return False
        except SignInRefused:
            return True
        raise AssertionError("let in")

    with ThreadPoolExecutor(8) as pool:
        looked_at = sum(pool.map(guess, range(40)))

    assert looked_at == MOST_WRONG


def test_the_process_takes_few_attempts_in_a_minute_from_strangers(tmp_path: Path) -> None:
    with house(tmp_path, per_minute=5) as home:
        mine = home.sign_ins.sign_in("asha", PASSWORD)
        for number in range(4):
            wrong(home, 1, name=f"user{number}", address=f"10.0.1.{number}")
        with pytest.raises(SignInPaused, match="at once"):
            home.sign_ins.sign_in("vina", PASSWORD, address="10.0.2.1")
        assert home.sign_ins.sign_in("asha", PASSWORD, before=mine.secret), "a known browser is not held up"
        home.later(61)
        assert home.sign_ins.sign_in("vina", PASSWORD, address="10.0.2.1")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.floats(0, 2000)), max_size=60))
def test_no_order_of_events_gives_a_name_more_than_ten_wrong_attempts_between_pauses(
    events: list[tuple[str, bool, float]],
) -> None:
    monotonic = FakeMonotonic()
    attempts = Attempts(monotonic=monotonic, per_minute=10_000)
    wrong_in_a_row = dict.fromkeys("ab", 0)
    paused_until = dict.fromkeys("ab", 0.0)
    last = dict.fromkeys("ab", 0.0)
    for name, right, wait in events:
        monotonic.now += wait
        if monotonic.now - last[name] > FORGET_SECONDS:
            wrong_in_a_row[name] = 0
        try:
            attempts.admit([name])
        except SignInPaused:
            assert monotonic.now < paused_until[name]
            continue
        assert monotonic.now >= paused_until[name]
        last[name] = monotonic.now
        if right:
            attempts.right([name])
            wrong_in_a_row[name] = 0
            continue
        wrong_in_a_row[name] += 1
        if attempts.wrong([name]):
            assert wrong_in_a_row[name] == MOST_WRONG
            wrong_in_a_row[name], paused_until[name] = 0, monotonic.now + PAUSE_SECONDS
        assert wrong_in_a_row[name] < MOST_WRONG


# -- out -----------------------------------------------------------------------------------------------------------


def test_signing_out_ends_it_at_once_and_tells_who_listens(home: House) -> None:
    told: list[frozenset[int]] = []
    home.sign_ins.when_ended(told.append)
    made = home.sign_ins.sign_in("asha", PASSWORD)
    assert home.sign_ins.look(made.secret) is not None
    assert home.sign_ins.still(made.signed_in.number) is not None

    home.sign_ins.end(made.signed_in.number, actor=made.signed_in.actor())

    assert home.sign_ins.look(made.secret) is None
    assert home.sign_ins.seen(made.secret) is None
    assert home.sign_ins.still(made.signed_in.number) is None
    assert told == [frozenset({made.signed_in.number})]
    assert home.noted("signed out") == 1


def test_others_are_signed_out_by_operators_alone(home: House) -> None:
    made = home.sign_ins.sign_in("asha", PASSWORD)

    with pytest.raises(Forbidden):
        home.sign_ins.end(made.signed_in.number, actor=Actor("vina", Role.TRADER))
    assert home.sign_ins.look(made.secret) is not None
    home.sign_ins.end(made.signed_in.number, actor=OPERATOR)
    assert home.sign_ins.look(made.secret) is None


def test_a_new_password_ends_every_sign_in_and_the_old_one_opens_nothing(home: House) -> None:
    made = home.sign_ins.sign_in("asha", PASSWORD)

    home.sign_ins.set_password("asha", "another horse battery", actor=OPERATOR)

    assert home.sign_ins.look(made.secret) is None
    wrong(home, 1)
    with pytest.raises(SignInRefused):
        home.sign_ins.sign_in("asha", PASSWORD)
    assert home.sign_ins.sign_in("asha", "another horse battery")


def test_what_another_process_changes_holds_within_seconds(home: House) -> None:
    made = home.sign_ins.sign_in("asha", PASSWORD)
    assert home.sign_ins.look(made.secret) is not None

    home.users.set_role("asha", Role.VIEWER, actor=OPERATOR)  # by `python -m dashboard users`
    home.later(FRESH_SECONDS)
    found = home.sign_ins.look(made.secret)
    assert found is not None
    assert found.role is Role.VIEWER
    home.users.remove("asha", actor=OPERATOR)
    home.later(FRESH_SECONDS)
    assert home.sign_ins.look(made.secret) is None


def test_a_user_who_was_removed_and_added_again_has_none_of_the_old_sign_ins(home: House) -> None:
    made = home.sign_ins.sign_in("asha", PASSWORD)
    home.sign_ins.remove("asha", actor=OPERATOR)
    home.sign_ins.add("asha", Role.OPERATOR, PASSWORD, actor=OPERATOR)

    assert home.sign_ins.look(made.secret) is None
    assert home.sign_ins.everybody() == []


@given(secret=st.text(max_size=120))
@settings(max_examples=50, deadline=None)
def test_no_guess_at_a_secret_opens_anything(secret: str) -> None:
    assert _shared().sign_ins.look(secret) is None
    assert _shared().sign_ins.seen(secret) is None


_open: list[House] = []


def _shared() -> House:
    return _open[0]


@pytest.fixture(autouse=True)
def _one_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with house(tmp_path_factory.mktemp("shared")) as made:
        _open.append(made)
        yield
        _open.clear()


# -- users ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER, Role.DESK])
def test_users_are_for_operators_to_change(home: House, role: Role) -> None:
    who = Actor("ravi", role)

    for change in (
        lambda: home.sign_ins.add("new", Role.VIEWER, PASSWORD, actor=who),
        lambda: home.sign_ins.set_role("asha", Role.OPERATOR, actor=who),
        lambda: home.sign_ins.set_password("asha", PASSWORD, actor=who),
        lambda: home.sign_ins.remove("asha", actor=who),
        lambda: home.sign_ins.sign_out("asha", actor=who),
    ):
        with pytest.raises(Forbidden):
            change()
    assert [user.name for user in home.sign_ins.users()] == ["asha", "vina"]


def test_whoever_runs_the_desk_at_its_machine_is_an_operator(home: House) -> None:
    assert home.sign_ins.add("new", Role.VIEWER, PASSWORD, actor=local_user()).name == "new"


@pytest.mark.parametrize("name", ["", " ", "a b", "x" * 81, "de\x00sk", "desk", "ASHA", "tab\there"])
def test_a_name_that_cannot_be_or_is_taken_is_refused(home: House, name: str) -> None:
    with pytest.raises(InvalidRequest):
        home.sign_ins.add(name, Role.VIEWER, PASSWORD, actor=OPERATOR)


def test_every_change_of_users_is_written_down_without_the_password(home: House) -> None:
    home.sign_ins.set_role("asha", Role.VIEWER, actor=OPERATOR)
    home.sign_ins.set_password("asha", "another horse battery", actor=OPERATOR)
    home.sign_ins.remove("asha", actor=OPERATOR)

    rows = home.audit.recent(3)
    assert [row.what for row in rows] == ["user removed", "password changed", "role changed"]
    assert (rows[2].before, rows[2].after) == ({"role": "trader"}, {"role": "viewer"})
    assert "scrypt" not in str(rows)
    assert "battery" not in str(rows)


def test_the_program_itself_is_no_role_for_a_person(home: House) -> None:
    with pytest.raises(InvalidRequest):
        home.sign_ins.set_role("asha", Role.DESK, actor=OPERATOR)


@pytest.mark.parametrize("changed", ["password", "user"])
def test_a_password_that_is_taken_away_while_it_is_looked_at_opens_nothing(home: House, changed: str) -> None:
    def meanwhile(password: str, kept: str) -> bool:
        if changed == "password":
            home.users.set_password("asha", QUICK.hash("another one, and longer"), actor=OPERATOR)
        else:
            home.users.remove("asha", actor=OPERATOR)
        return QUICK.matches(password, kept)

    home.sign_ins._scrypt = SimpleNamespace(hash=QUICK.hash, matches=meanwhile)  # type: ignore[assignment]

    with pytest.raises(SignInRefused, match="Wrong name or password"):
        home.sign_ins.sign_in("asha", PASSWORD)
    assert home.users.good() == []


def test_who_goes_on_trying_does_not_fill_the_log(home: House, caplog: pytest.LogCaptureFixture) -> None:
    wrong(home, MOST_WRONG)
    for _ in range(20):
        with pytest.raises(SignInPaused):
            home.sign_ins.sign_in("asha", PASSWORD, address="10.0.0.9")
    assert caplog.text.count("are not looked at") == 1


# -- by an issuer ----------------------------------------------------------------------------------------------------


def test_a_proof_of_the_issuer_is_good_once_and_for_its_own_users_alone(home: House) -> None:
    home.sign_ins.add("ravi@example.com", Role.VIEWER, None, actor=OPERATOR)

    made = home.sign_ins.sign_in_issued("Ravi@Example.com", "nonce-1")

    assert made.signed_in.user == "ravi@example.com"
    for email, once in (("ravi@example.com", "nonce-1"), ("asha", "nonce-2"), ("eve@example.com", "nonce-3")):
        with pytest.raises(SignInRefused):
            home.sign_ins.sign_in_issued(email, once)
    with pytest.raises(SignInRefused):
        home.sign_ins.sign_in("ravi@example.com", "")
    with pytest.raises(InvalidRequest):
        home.sign_ins.set_password("ravi@example.com", PASSWORD, actor=OPERATOR)


def test_an_address_of_look_alike_letters_is_another_address(home: House) -> None:
    """Folded, the sign of the kelvin is a k."""
    home.sign_ins.add("kiran@example.com", Role.OPERATOR, None, actor=OPERATOR)

    with pytest.raises(SignInRefused):
        home.sign_ins.sign_in_issued("\N{KELVIN SIGN}iran@example.com", "nonce-1")
    with pytest.raises(InvalidRequest):
        home.sign_ins.add("j\N{LATIN SMALL LETTER O WITH DIAERESIS}rg@example.com", Role.VIEWER, None, actor=OPERATOR)


def test_who_signs_in_by_the_issuer_is_named_by_an_address(home: House) -> None:
    with pytest.raises(InvalidRequest):
        home.sign_ins.add("ravi", Role.VIEWER, None, actor=OPERATOR)


@pytest.mark.parametrize(
    ("without_ledger", "idle", "away", "good"),
    [
        (600.0, 30.0, 300.0, True),
        (600.0, 30.0, 700.0, False),  # for ten minutes, no longer
        (600.0, 90.0, 10.0, False),  # it may have been ended meanwhile
        (0.0, 30.0, 10.0, False),  # the ledger is a file of this machine: something is wrong with it
    ],
)
def test_who_was_there_when_the_ledger_went_away_may_go_on_looking_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_ledger: float, idle: float, away: float, good: bool
) -> None:
    with house(tmp_path) as home:
        home.sign_ins._without_ledger = without_ledger
        secret = home.sign_ins.sign_in("asha", PASSWORD).secret
        assert home.sign_ins.look(secret) is not None

        def gone(mark: str) -> None:
            raise StorageError("PostgreSQL does not answer")

        home.later(idle)
        monkeypatch.setattr(home.users, "of_secret", gone)
        for seconds in (0.0, away):
            home.later(seconds)
            try:
                found = home.sign_ins.look(secret)
            except StorageError:
                found = None
        assert (found is not None) is good
        with pytest.raises(StorageError):
            home.sign_ins.look("a secret that nobody has been seen with")

        monkeypatch.undo()
        home.sign_ins.end(1, actor=OPERATOR)
        assert home.sign_ins.look(secret) is None
