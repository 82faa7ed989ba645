"""What the health page says of a desk of several processes."""

from __future__ import annotations

from dataclasses import replace

from dashboard.health_shared import member_rows, postgres_facts, redis_facts, stream_facts, summary
from services.measures.shared_now import RedisNow
from tests.support.measures import NOW, SHARED

assert SHARED.shared is not None
WELL = SHARED.shared


def test_every_process_has_a_row_and_the_holder_comes_first() -> None:
    silent = replace(WELL.members[3], told_ago=12.0)
    rows = member_rows(replace(WELL, members=(*WELL.members[:3], silent)), NOW)

    assert [row["Process"] for row in rows] == ["desk-2", "desk-1 (this one)", "desk-3", "desk-4"]
    assert [row["Role"] for row in rows] == ["holds the feed", "follows", "follows", "silent"]
    assert [row["Prices behind (99 %)"] for row in rows] == ["–", "2.0 ms", "6.0 ms", "8.0 ms"]
    assert [row["Last word"] for row in rows] == ["now", "now", "now", "12 s ago"]


def test_the_sentence_says_who_leads_or_why_nobody_can() -> None:
    assert "desk-2 holds the live feed, the order stream and the refresher" in summary(WELL, NOW)
    assert "nobody" in summary(replace(WELL, holder=None), NOW)
    away = RedisNow(False, 9.0, "Redis does not answer", None)
    assert "Redis does not answer" in summary(replace(WELL, redis=away), NOW)


def test_redis_and_postgresql_say_how_they_do_and_what_is_missing() -> None:
    assert redis_facts(WELL.redis) == {"State": "answers, for 10 min 00 s", "Question and answer": "0.21 ms"}
    assert redis_facts(RedisNow(False, 9.0, "Connection refused", None))["Problem"] == "Connection refused"
    assert "DESK_REDIS_URL" in redis_facts(None)["Redis"]
    assert WELL.postgres is not None
    assert postgres_facts(WELL.postgres)["Connections"] == "4 of 9, 4 made since the start"
    broken = postgres_facts(replace(WELL.postgres, problem="timeout", problem_seconds=7.0))
    assert (broken["State"], broken["Problem"]) == ("does not answer, for 7 s", "timeout")
    assert "DESK_LEDGER_URL" in postgres_facts(None)["PostgreSQL"]


def test_a_stream_is_told_of_by_the_side_on_which_this_process_is() -> None:
    market, portfolio = WELL.streams

    assert stream_facts(market)["Behind the holder"] == "1.1 ms; 99 % within 4.2 ms"
    assert stream_facts(portfolio)["Behind the holder"] == "–"
    holder = stream_facts(replace(market, role="holder", sent_batches=38, sent_frames=1400))
    assert holder["Sent"] == "1,400 frames in 38 batches"
    assert "Behind the holder" not in holder
