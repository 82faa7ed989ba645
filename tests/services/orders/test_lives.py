"""Whether another process has ended: told only where that is certain."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from services.orders.lives import Life, _began

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems tell nothing: then nobody concludes")


def test_another_process_of_this_machine_has_ended_when_the_system_says_so() -> None:
    mine = Life()
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    boot, table, *_ = mine.name.split("/")
    name = f"{boot}/{table}/{other.pid}/{_began(other.pid)}/aa"
    alive = mine.is_over(name)
    other.communicate(b"\n", timeout=60)
    ended = mine.is_over(name)

    assert (alive, ended) == (False, True)
    assert mine.is_over(f"{boot}/{table}/{os.getppid()}/1/aa") is True, "another one has its number by now"


def test_of_another_machine_an_earlier_start_another_container_or_this_very_process_nobody_can_tell() -> None:
    mine = Life()
    boot, table, number, began, _ = mine.name.split("/")

    for name in (
        f"another-boot/{table}/1/1/aa",
        f"{boot}/another-table/1/1/aa",
        f"{boot}/{table}/{number}/{began}/another-desk",
        "",
        "////",
        "something else",
        mine.name,
    ):
        assert mine.is_over(name) is None
    assert len(mine.name) <= 120, "it fits into its column"
    assert Life().name != mine.name
