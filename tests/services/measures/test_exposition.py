"""What Prometheus reads."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.measures.checks import CheckBook
from services.measures.exposition import Exposition
from services.measures.snapshot import Snapshot
from services.measures.verdicts import RULES
from tests.support.measures import WELL, but


def told(snapshot: Snapshot) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample by name and labels."""
    exposition = Exposition(
        lambda: snapshot, lambda: CheckBook(RULES).look(snapshot, 0.0), mode="paper", version="0.1.0"
    )
    content, media_type = exposition.text()
    assert media_type.startswith("text/plain; version=")
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(content.decode()):
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            assert labels not in found.setdefault(sample.name, {}), f"{sample.name} is told twice"
            found[sample.name][labels] = sample.value
    return found


def test_counts_times_and_states_are_told_under_names_of_prometheus() -> None:
    samples = told(WELL)

    assert samples["desk_rest_requests_total"][("operation", "quotes"), ("outcome", "5xx"), ("version", "v3")] == 5
    buckets = samples["desk_rest_seconds_bucket"]
    assert buckets[("le", "0.1"), ("operation", "quotes"), ("version", "v3")] == 90  # they add up
    assert buckets[("le", "+Inf"), ("operation", "quotes"), ("version", "v3")] == 100
    assert samples["desk_rest_seconds_sum"][("operation", "quotes"), ("version", "v3")] == 9.5
    assert samples["desk_feed_state"][("state", "connected"), ("stream", "market")] == 1
    assert samples["desk_feed_state"][("state", "waiting_to_reconnect"), ("stream", "market")] == 0
    assert samples["desk_check_state"][("check", "storage"),] == 0
    assert samples["desk_cache_hits_total"][("tier", "shared"),] == 20
    assert samples["desk_cache_misses_total"][()] == 10
    assert samples["desk_cache_unwritten_total"][()] == 3
    assert samples["desk_protobuf_info"][("implementation", "upb"),] == 1
    for name in samples:
        assert re.fullmatch(r"(desk|process)_[a-z0-9_]+", name), name


def test_what_is_not_known_is_left_out_and_never_zero() -> None:
    blind = replace(
        WELL, feed=None, portfolio_feed=None, token=None, errors=None, problems={"token": "the file is damaged"}
    )
    samples = told(replace(blind, clock=replace(WELL.clock, offset_seconds=None)))

    assert samples["desk_measure_unreadable"] == {(("part", "token"),): 1.0}
    assert not any(name.startswith(("desk_feed", "desk_token", "desk_errors_per")) for name in samples)
    assert "desk_clock_offset_seconds" not in samples
    orders = but("orders", ready="the orders of before are being looked up first", unknown=None).orders
    samples = told(replace(but("storage", read_only=None), orders=orders))
    assert samples["desk_orders_ready"] == {(): 0.0}
    assert not {"desk_orders_unknown", "desk_disk_read_only"} & samples.keys()


def test_a_file_that_is_not_there_has_no_size() -> None:
    samples = told(WELL)

    assert ("file", "ledger.db") not in [label for labels in samples["desk_wal_bytes"] for label in labels]


def test_no_label_takes_what_comes_from_outside() -> None:
    """Messages, keys, paths: each would make a series of its own for ever."""
    loud = but("feed", reason="NSE_EQ|INE002A01018 broke", connected=False)
    loud = replace(loud, errors=replace(WELL.errors, breakdown={"Made up by a notebook": 3}))
    loud = replace(loud, rest=replace(WELL.rest, last_failure="quotes: NSE_EQ|INE002A01018"))

    text = repr(told(loud))

    for outside in ("INE002A01018", "Made up", "/data"):
        assert outside not in text


def test_prometheus_may_ask_for_the_newer_format() -> None:
    exposition = Exposition(lambda: WELL, tuple, mode="paper", version="0.1.0")

    content, media_type = exposition.text("application/openmetrics-text; version=1.0.0")

    assert media_type.startswith("application/openmetrics-text")
    assert content.endswith(b"# EOF\n")


@pytest.mark.parametrize("secret", ["t0ken-of-somebody", "market_data"])
def test_no_text_of_a_problem_stands_in_an_answer(secret: str) -> None:
    blind = replace(WELL, token=None, storage=None, problems={"token": f"{secret} is wrong"})

    assert secret not in repr(told(blind))
