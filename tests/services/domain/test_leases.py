"""Leases end by themselves."""

from __future__ import annotations

from services.domain.leases import Leases


def test_the_union_holds_each_key_once() -> None:
    leases = Leases()
    leases.hold("a", ["x", "y"], until=10)
    leases.hold("b", ["y", "z"], until=10)

    assert leases.union(5) == ["x", "y", "z"]


def test_a_lease_that_is_not_renewed_ends() -> None:
    leases = Leases()
    leases.hold("a", ["x"], until=10)
    leases.hold("b", ["y"], until=20)

    assert leases.union(10) == ["y"]


def test_a_holder_watches_what_it_named_last() -> None:
    leases = Leases()
    leases.hold("a", ["x"], until=10)
    leases.hold("a", ["y"], until=12)

    assert leases.union(5) == ["y"]

    leases.hold("a", [], until=12)

    assert leases.union(5) == []
