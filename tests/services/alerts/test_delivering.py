"""Alerts reach their channels once, off the rules' thread, through failures, kills and full disks; addresses stay
secret."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from services.domain.errors import InvalidRequest, NoAnswer
from services.ledger.alert_channels import Channel, Claim, Sent, What
from services.ledger.alerts import Severity
from services.ledger.audit import Audit
from services.measures.snapshot import ErrorsNow
from services.storage.token_key import KEY_FILE
from services.storage.token_store import TokenStore
from tests.support.alerts import FULL, OPERATOR, Bench, alerting
from tests.support.ledger_engines import files_only

ON_BOTH = True

URL = "fake://bot-token-9f8e7d6c5b4a/chat-31337"
STORM = ErrorsNow(24.0, 5.0, {"RateLimited": 120})
QUIET = ErrorsNow(0.0, 5.0, {})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with alerting(tmp_path) as made:
        yield made


def titles(bench: Bench) -> list[str]:
    return [title for _, title, _, _ in bench.sender.sent]


def test_opened_and_over_are_sent_once_each(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    bench.round()
    for _ in range(4):
        bench.round(errors=STORM)
    for _ in range(4):
        bench.round(errors=QUIET)

    assert titles(bench) == ["Desk: Error rate", "Desk: over: Error rate"]
    url, _, body, severity = bench.sender.sent[0]
    assert (url, severity) == (URL, Severity.WARNING)
    assert body == (
        "[warning] Error rate: 24.0 errors a minute over the last 5 minutes; of the requests, "
        "120 came too fast for the broker (since 20 Nov 09:45:04 IST)"
    )
    assert bench.sender.sent[1][3] is None, "good news"
    assert [(one.what, one.state, one.attempts) for one in bench.desk.deliveries()] == [
        (What.ENDED, Sent.SENT, 1),
        (What.OPENED, Sent.SENT, 1),
    ]


def test_what_matters_less_than_the_channel_wants_is_not_sent_and_a_channel_that_is_off_gets_nothing(
    bench: Bench,
) -> None:
    bench.channels.add("Loud", URL, OPERATOR, least=Severity.CRITICAL)
    quiet = bench.channels.add("Quiet", URL, OPERATOR, tell_end=False)
    off = bench.channels.add("Off", URL, OPERATOR)
    bench.channels.turn(off.id, False, OPERATOR)
    bench.round(errors=STORM)
    bench.round(errors=QUIET)

    assert titles(bench) == ["Desk: Error rate"]
    assert [one.channel_id for one in bench.desk.deliveries()] == [quiet.id]


def test_a_channel_that_refuses_rests_is_told_of_and_then_gets_everything_in_one_message(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    bench.sender.refuses = "Unauthorized, error=401"
    bench.round(errors=STORM)
    (state,) = bench.desk.channel_states()
    assert (state.failures, state.reason) == (1, "Unauthorized, error=401")
    bench.round()
    assert bench.desk.channel_states()[0].failures == 1, "it rests"
    bench.round(seconds=11)
    bench.round()
    assert ("channel_failing", "Phone") in bench.open()
    assert "Unauthorized, error=401" in bench.open()["channel_failing", "Phone"]
    assert {(one.state, one.reason) for one in bench.desk.deliveries()} == {(Sent.FAILED, "Unauthorized, error=401")}

    bench.sender.refuses = None
    bench.kept.raise_alert("trade_conflict", "told otherwise", severity="critical")
    bench.round(seconds=70)
    bench.round()
    bench.round()

    assert titles(bench) == ["Desk: 2 alerts"], "what is told of the channel itself is not sent over it"
    assert bench.sender.sent[0][3] is Severity.CRITICAL
    assert ("channel_failing", "Phone") not in bench.open()
    assert {one.state for one in bench.desk.deliveries()} == {Sent.SENT}


def test_after_a_restart_nothing_is_sent_twice_and_nothing_is_missing(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    bench.round(errors=STORM)
    bench.kept.raise_alert("trade_conflict", "told otherwise")
    bench.close()

    bench.start()
    bench.round()
    bench.round()
    assert titles(bench) == ["Desk: Error rate", "Desk: A fill was told twice, differently"]


def test_what_became_of_a_message_is_forgotten_after_a_quarter_and_its_alert_is_not(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    bench.round(errors=STORM)
    bench.round(errors=QUIET)
    bench.close()
    bench.start()
    bench.round(seconds=91 * 86_400)

    assert (bench.desk.deliveries(), len(titles(bench))) == ([], 2)
    assert bench.lives("error_rate") == ["auto-resolved"]


def test_a_message_that_was_cut_off_in_the_middle_is_sent_again_after_a_while(bench: Bench) -> None:
    channel = bench.channels.add("Phone", URL, OPERATOR)
    alert = bench.kept.raise_alert("trade_conflict", "told otherwise")
    assert bench.sent_over.claim(channel.id, alert.id, What.OPENED) is Claim.MINE, "and then the process was killed"
    bench.close()
    bench.start()
    bench.round()
    assert titles(bench) == [], "who began may be at it still"
    for _ in range(40):
        bench.round(seconds=5.0)

    assert titles(bench) == ["Desk: A fill was told twice, differently"]
    assert bench.sent_over.claim(channel.id, alert.id, What.OPENED) is Claim.SENT


def test_alerts_are_sent_though_the_disk_takes_nothing_and_not_again_afterwards(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    bench.round()
    bench.ledger.full = FULL
    bench.round(errors=STORM)
    bench.round()
    assert "Error rate: 24.0 errors a minute" in bench.sender.sent[0][2]
    before = len(bench.sender.sent)
    bench.ledger.full = None
    for _ in range(8):
        bench.round()
    bench.close()
    bench.start()
    bench.round()

    assert [body for _, _, body, _ in bench.sender.sent[before:] if "Error rate" in body] == []


def test_a_test_message_tells_what_became_of_it(bench: Bench) -> None:
    channel = bench.channels.add("Phone", URL, OPERATOR)
    bench.desk.test(channel.id, OPERATOR)
    assert bench.desk.channel_states()[0].testing
    bench.notifier.step()
    (state,) = bench.desk.channel_states()
    assert (state.testing, state.last_sent, titles(bench)) == (False, bench.clock.now(), ["Desk: test"])

    bench.sender.refuses = "no route to host"
    bench.desk.test(channel.id, OPERATOR)
    bench.notifier.step()
    assert bench.desk.channel_states()[0].reason == "no route to host"
    assert [(one.alert_id, one.state) for one in bench.desk.deliveries()] == [(None, Sent.FAILED), (None, Sent.SENT)]


@files_only
def test_an_address_lies_sealed_in_the_ledger_and_is_forgotten_with_its_channel(bench: Bench) -> None:
    channel = bench.channels.add("Phone", URL, OPERATOR)
    bench.ledger.close()
    for file in bench.folder.iterdir():
        content = file.read_bytes() if file.is_file() else b""
        assert b"9f8e7d6c" not in content, file.name
    bench.start()
    assert "9f8e7d6c" not in repr((bench.channels.all(), bench.desk.channel_states()))
    assert "9f8e7d6c" not in repr(Audit(bench.ledger, bench.clock).recent())

    bench.channels.remove(channel.id, OPERATOR)
    with closing(sqlite3.connect(bench.folder / "ledger.db")) as connection:
        assert connection.execute("SELECT sealed FROM alert_channels").fetchall() == [(b"",)]
    assert bench.channels.all() == []


def test_with_a_new_key_addresses_are_sealed_anew_and_without_any_the_channel_says_so(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    old, new = (bench.folder / KEY_FILE).read_text(), Fernet.generate_key().decode()
    bench.vault = TokenStore(bench.folder, key=f"{new},{old}", clock=bench.clock)
    assert bench.channels.reseal() == 0
    (bench.folder / KEY_FILE).unlink()
    bench.vault = TokenStore(bench.folder, key=new, clock=bench.clock)
    bench.round(errors=STORM)
    assert titles(bench) == ["Desk: Error rate"]

    bench.vault = TokenStore(bench.folder, key=Fernet.generate_key().decode(), clock=bench.clock)
    assert bench.channels.reseal() == 1
    bench.round(errors=QUIET)
    assert "Enter it anew" in bench.desk.channel_states()[0].reason


def test_names_are_taken_once_and_what_is_no_address_is_refused_without_repeating_it(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    with pytest.raises(InvalidRequest, match="already"):
        bench.channels.add(" phone ", URL, OPERATOR)
    with pytest.raises(InvalidRequest) as refused:
        bench.channels.add("Other", "nonsense://my-secret", OPERATOR)
    assert "my-secret" not in str(refused.value)


def test_a_channel_that_is_added_or_turned_on_is_told_at_once_of_what_is_open(bench: Bench) -> None:
    bench.round(errors=STORM)
    phone = bench.channels.add("Phone", URL, OPERATOR)
    bench.send()
    assert titles(bench) == ["Desk: Error rate"]

    bench.channels.turn(phone.id, False, OPERATOR)
    bench.kept.raise_alert("trade_conflict", "told otherwise")
    bench.round()
    bench.channels.turn(phone.id, True, OPERATOR)
    bench.send()
    assert titles(bench)[1:] == ["Desk: A fill was told twice, differently"]


def test_one_that_becomes_critical_reaches_who_wants_nothing_less_and_so_does_its_end(bench: Bench) -> None:
    bench.channels.add("Loud", URL, OPERATOR, least=Severity.CRITICAL)
    bench.kept.raise_alert("trade_conflict", "told otherwise")
    bench.round()
    bench.round()
    assert titles(bench) == []
    bench.kept.raise_alert("trade_conflict", "told otherwise", severity="critical")
    bench.round()
    assert titles(bench) == ["Desk: A fill was told twice, differently"]

    bench.kept.raise_alert("trade_conflict", "told otherwise")
    bench.kept.resolve_one("trade_conflict", "")
    bench.round()
    assert titles(bench)[1:] == ["Desk: over: A fill was told twice, differently"]


def test_what_ended_before_it_could_be_told_is_told_after_the_start_once_and_whole(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    bench.kept.raise_alert("trade_conflict", "told otherwise")
    bench.kept.resolve_one("trade_conflict", "")
    for _ in range(3):
        bench.close()
        bench.start()
        bench.round()

    assert titles(bench) == ["Desk: A fill was told twice, differently"]
    assert "over since" in bench.sender.sent[0][2]


def test_what_opened_and_ended_between_two_looks_is_told_within_a_minute(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    bench.round()
    bench.kept.raise_alert("trade_conflict", "told otherwise")
    bench.kept.resolve_one("trade_conflict", "")
    for _ in range(31):
        bench.round()

    assert titles(bench) == ["Desk: A fill was told twice, differently"]


def test_channels_that_cannot_be_read_are_looked_for_again_and_a_test_waits_for_them(bench: Bench) -> None:
    channel = bench.channels.add("Phone", URL, OPERATOR)
    bench.ledger.unread = "the file is locked"
    bench.desk.test(channel.id, OPERATOR)
    bench.send()
    bench.ledger.unread = None
    bench.pass_time(5)
    bench.send()

    assert titles(bench) == ["Desk: test"]


def test_after_a_restart_on_a_full_disk_nothing_is_sent_twice(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    bench.round(errors=STORM)
    bench.close()
    bench.start()
    bench.ledger.full = FULL
    for _ in range(3):
        bench.round()

    assert [body for _, _, body, _ in bench.sender.sent if "Error rate" in body] == [bench.sender.sent[0][2]]


def test_one_that_is_open_for_longer_than_messages_are_remembered_is_not_told_again(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    bench.kept.raise_alert("trade_conflict", "told otherwise")
    for _ in range(3):
        bench.round()
        bench.close()
        bench.start()
        bench.pass_time(91 * 86_400)

    assert titles(bench) == ["Desk: A fill was told twice, differently"]


def test_a_channel_that_refused_before_the_start_refuses_until_a_message_arrives(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    bench.sender.refuses = "Unauthorized, error=401"
    bench.round(errors=STORM)
    for _ in range(9):
        bench.round()
    assert bench.lives("channel_failing") == ["open"]
    bench.close()
    bench.start()
    assert bench.notifier.failures() is None, "not known yet"
    bench.round(send=False)
    for _ in range(3):
        bench.round()
    assert bench.lives("channel_failing") == ["open"]

    bench.sender.refuses = None
    for _ in range(200):
        bench.round()
    assert bench.lives("channel_failing") == ["auto-resolved"]


def test_a_test_of_a_channel_that_is_added_while_the_others_are_read_is_sent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, made = bench.channels.all, []

    def added_meanwhile() -> list[Channel]:
        found = read()
        if not made:
            made.append(bench.channels.add("Phone", URL, OPERATOR))
            bench.desk.test(made[0].id, OPERATOR)
        return found

    monkeypatch.setattr(bench.channels, "all", added_meanwhile)
    bench.round()
    bench.send()

    assert titles(bench) == ["Desk: test"]


def test_a_failure_that_could_not_be_written_down_is_no_message_sent(bench: Bench) -> None:
    bench.channels.add("Phone", URL, OPERATOR)
    bench.round()

    def refused(url: str, title: str, body: str, severity: Severity | None) -> None:
        bench.ledger.full = FULL
        raise NoAnswer("no route to host")

    send, bench.sender.send = bench.sender.send, refused  # type: ignore[method-assign]
    bench.kept.raise_alert("trade_conflict", "told otherwise")
    bench.round()
    bench.ledger.full, bench.sender.send = None, send  # type: ignore[method-assign]
    for _ in range(75):
        bench.round()

    assert titles(bench) == ["Desk: A fill was told twice, differently"]
