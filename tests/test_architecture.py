"""The rules of the house that a reader cannot see in one file: who may import whom, and who may ask for the time."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions

import grimp
import pytest

from tests.support.shared_data import ROOT

PURE_ROOMS = ("services/domain", "services/wire", "services/portfolio")
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "monotonic"),
    ("time", "perf_counter"),
    ("time", "sleep"),
    ("time", "localtime"),
}
BEFORE_PACKAGES = ("dashboard.__main__", "tests.__main__")
AFTER_ENTERING = ("dashboard.launcher", "dashboard.manage")  # what the first of them imports inside `.venv`
READ_BY_ANY_PYTHON = (
    "dashboard/__init__.py",
    "dashboard/__main__.py",
    "dashboard/bootstrap.py",
    "tests/__init__.py",
    "tests/__main__.py",
)


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("services", "dashboard", "tests", include_external_packages=True, cache_dir=None)


def test_the_import_rules_hold() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_domain_room_imports_the_standard_library_only(imports: grimp.ImportGraph) -> None:
    room = {"services.domain"} | imports.find_descendants("services.domain")

    foreign = {
        (module, name)
        for module in room
        for name in imports.find_modules_directly_imported_by(module)
        if name.split(".")[0] not in sys.stdlib_module_names and name not in room
    }

    assert foreign == set()


def test_what_runs_before_the_packages_exist_imports_the_standard_library_only(imports: grimp.ImportGraph) -> None:
    seen: set[str] = set()
    waiting = [*BEFORE_PACKAGES]
    foreign: set[tuple[str, str]] = set()
    while waiting:
        module = waiting.pop()
        seen.add(module)
        for name in imports.find_modules_directly_imported_by(module):
            if name.split(".")[0] not in ("dashboard", "tests"):
                if name.split(".")[0] not in sys.stdlib_module_names:
                    foreign.add((module, name))
            elif name not in seen and name not in AFTER_ENTERING:
                waiting.append(name)

    assert "dashboard.bootstrap" in seen
    assert foreign == set()


@pytest.mark.parametrize("name", READ_BY_ANY_PYTHON)
def test_an_old_python_can_read_as_far_as_the_sentence_that_it_is_too_old(name: str) -> None:
    source = (ROOT / name).read_text(encoding="utf-8")

    ast.parse(source, feature_version=(3, 6))

    assert "from __future__ import annotations" not in source  # 3.6 refuses it, which no parser of today notices


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_a_pure_room_never_asks_what_time_it_is(room: str) -> None:
    asked = [
        f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and (_last_name(node.value), node.attr) in CLOCKS
    ]

    assert asked == []


def test_nothing_beside_the_entry_script_has_the_name_of_a_package() -> None:
    """Streamlit puts the folder of the script that it runs before everything: what is imported while a page is drawn
    would be ours."""
    beside = {entry.stem for entry in (ROOT / "dashboard").iterdir() if entry.suffix == ".py" or entry.is_dir()}

    assert not beside & (packages_distributions().keys() | sys.stdlib_module_names)


def test_no_page_lies_beside_the_entry_script() -> None:
    """Streamlit would run such a page by its URL, without the entry script and so without its frame and its gate."""
    assert not (ROOT / "dashboard" / "pages").exists()


def _last_name(node: ast.expr) -> str:
    """`datetime` for `datetime` and for `datetime.datetime`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
