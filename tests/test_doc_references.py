"""What README and docs name is there: pages and headings that links lead to, settings, modules, files and tests."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.settings import Settings
from tests.support.shared_data import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"(?<!\\)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```.*?^```)", re.DOTALL | re.MULTILINE)
OWN = {"services", "dashboard", "tests"}
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def _names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def _without_blocks(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def _anchors(page: Path) -> set[str]:
    """Those that GitHub makes of the headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", _without_blocks(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        number = next(n for n in range(100) if (f"{slug}-{n}" if n else slug) not in found)
        found.add(f"{slug}-{number}" if number else slug)
    return found


def _broken(page: Path) -> Iterator[str]:
    for target in LINK.findall(_without_blocks(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        if not place.exists():
            yield f"{target}: no such file"
        elif anchor and anchor not in _anchors(place):
            yield f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=_names(PAGES))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(_broken(page)) == []


def test_every_page_can_be_found_from_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    pages = [str(page.relative_to(ROOT / "docs")) for page in PAGES[1:]]

    assert [page for page in pages if page not in index and page != "README.md"] == []


def test_every_setting_is_told_somewhere() -> None:
    told = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"\b(?:DESK|UPSTOX|ENCRYPTION)_[A-Z_]*[A-Z]\b", told))
    bare = {name.removeprefix("DESK_").removeprefix("UPSTOX_").lower() for name in named}

    assert set(Settings.model_fields) - bare == {"encryption_key"} - {name.lower() for name in named}


@pytest.mark.parametrize("page", PAGES, ids=_names(PAGES))
def test_every_setting_exists(page: Path) -> None:
    named = set(re.findall(r"\bDESK_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))

    assert named - {f"DESK_{name.upper()}" for name in Settings.model_fields} == set()


@pytest.mark.parametrize("page", PAGES, ids=_names(PAGES))
def test_every_module_that_is_started_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    ours = [name for name in re.findall(r"python3? -m ([\w.]+\w)", text) if name.split(".")[0] in OWN]

    assert [name for name in dict.fromkeys(ours) if not _can_start(name)] == []


def _can_start(name: str) -> bool:
    """A module, or a package with a `__main__`."""
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(f"{name}.__main__")
    return spec is not None


@pytest.mark.parametrize("page", PAGES, ids=_names(PAGES))
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = TEST.findall(page.read_text(encoding="utf-8"))

    assert [f"{file}::{name}" for file, name in dict.fromkeys(named) if not _has(file, name)] == []


def _has(file: str, name: str) -> bool:
    path = ROOT / file
    return (
        path.is_file() and re.search(rf"^ *(?:async )?def {name}\(", path.read_text(encoding="utf-8"), re.M) is not None
    )


def test_each_row_of_troubles_names_its_test() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| you see", "|---"))]

    assert len(rows) > 50
    assert [row for row in rows if not TEST.search(row)] == []


PLACE = re.compile(r"`(\w+(?:/\w+)+)/?`")


def test_every_place_that_the_architecture_names_exists() -> None:
    named = set(PLACE.findall((ROOT / "docs/architecture.md").read_text(encoding="utf-8")))
    tops = ("services", "dashboard", "pages", "tests", "docs")
    places = [path.relative_to(ROOT) for top in tops for path in (ROOT / top).rglob("*")]
    there = "\n".join(f"/{path.as_posix()}\n/{path.with_suffix('').as_posix()}" for path in places) + "\n"

    assert len(named) > 30
    assert [name for name in sorted(named) if f"/{name}\n" not in there] == []


THREAD = re.compile(
    r"""(?:Thread|Recurring|Workers|Executor|Stream)\([^#]{0,80}?(?:\bname|thread_name_prefix)=f?"([\w-]+)""", re.DOTALL
)
SHORT = {"closing", "desk-closing", "announce", "stop-limit", "installer-output"}
"""They live for a start or a stop."""


def test_every_room_and_thread_stands_in_the_architecture() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = {
        path.stem for path in (ROOT / "services").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    sources = [
        path.read_text(encoding="utf-8") for name in ("services", "dashboard") for path in (ROOT / name).rglob("*.py")
    ]
    threads = {name for source in sources for name in THREAD.findall(source)}

    assert [room for room in sorted(rooms - {"__init__"}) if not re.search(rf"[`/]{room}`", text)] == []
    assert len(threads) > 25
    assert [name for name in sorted(threads - SHORT) if f"`{name}" not in text] == []
