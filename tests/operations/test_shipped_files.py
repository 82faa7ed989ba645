"""The board and the rules that the desk ships: sound by themselves, and about measures that there are."""

from __future__ import annotations

import re
import subprocess

import pytest

from services.measures.exposition import Exposition
from tests.support.measures import WELL
from tests.support.prometheus import CONFIG, PROMTOOL, RULES, always, board, board_queries

NAME = re.compile(r"\b(?:desk|process)_[a-z0-9_]+")


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool here (apt install prometheus)")
@pytest.mark.parametrize("check", [("rules", RULES), ("config", CONFIG)])
def test_promtool_finds_nothing_wrong(check: tuple[str, object]) -> None:
    done = subprocess.run(
        [str(PROMTOOL), "check", check[0], str(check[1])], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool here (apt install prometheus)")
def test_promtool_finds_nothing_wrong_with_the_names_and_helps_of_the_measures() -> None:
    content, _ = Exposition(lambda: WELL, tuple, mode="paper", version="0.1.0").text()

    done = subprocess.run([str(PROMTOOL), "check", "metrics"], input=content, capture_output=True, check=False)

    told = [line for line in done.stderr.decode().splitlines() if line.startswith("desk_")]
    assert (done.returncode, told) == (0, [])


def test_every_measure_that_they_speak_of_is_told_by_the_desk() -> None:
    content, _ = Exposition(lambda: WELL, tuple, mode="paper", version="0.1.0").text()
    told = set(re.findall(r"^# TYPE (\S+)", content.decode(), re.MULTILINE))
    told |= {f"{name}{end}" for name in told for end in ("_bucket", "_sum", "_count")}

    asked = {name for text in (*board_queries(), RULES.read_text()) for name in NAME.findall(text)}

    assert asked - told == set()
    assert len(asked) > 30


def test_the_board_is_whole() -> None:
    shown = board()
    panels = shown["panels"]

    assert shown["schemaVersion"] >= 36
    assert [one["name"] for one in shown["templating"]["list"]] == ["datasource", "job", "instance"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
        assert panel["type"] in {"row", "stat", "timeseries"}
        for target in panel.get("targets", ()):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert 'job="$job",instance=~"$instance"' in target["expr"]


def test_an_alert_s_expression_can_be_asked_for_its_figure() -> None:
    assert (
        always('a > 1 and on () b{c!~"2xx|3xx",d="e"} == 1') == 'a > bool 1 and on () b{c!~"2xx|3xx",d="e"} == bool 1'
    )
    assert always('a{c!="1s"} <= 0.5 or b != 2') == 'a{c!="1s"} <= bool 0.5 or b != bool 2'
