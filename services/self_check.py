"""What the self-checks of the public services share: a paper broker of their own, and plain words.

    python -m services.market_quote_v3

Each public service ends with a `check_itself` that tells line by line what it found and raises where something is
wrong. It runs on a fresh paper account in a folder that is thrown away: no setting of the environment, no running desk
and no account has a part in it.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from services.domain.errors import UpstoxError
from services.runtime import Runtime, use_runtime
from services.settings import Mode, Settings

INFOSYS = "NSE_EQ|INE009A01021"
Check = Callable[[], Iterator[str]]


class SelfCheckFailed(AssertionError):
    """Something that a public service promises does not hold here."""


def assure(holds: bool, what: str) -> None:
    """Raise `SelfCheckFailed` unless `holds`. Not `assert`: that vanishes under `python -O`."""
    if not holds:
        raise SelfCheckFailed(what)


def main(check: Check) -> None:
    """Run `check` on paper and leave the program: 0 when all holds, 1 with the reason otherwise."""
    logging.getLogger().addHandler(logging.NullHandler())  # what is tried on purpose is no news
    try:
        with on_paper():
            for line in check():
                sys.stdout.write(f"{line}\n")
    except (SelfCheckFailed, UpstoxError) as error:
        sys.stderr.write(f"FAILED: {error}\n")
        sys.exit(1)
    sys.stdout.write("all well\n")


@contextmanager
def on_paper() -> Iterator[Runtime]:
    """A runtime on a paper broker of its own, which is this process's inside the block."""
    with (
        tempfile.TemporaryDirectory(prefix="desk-check-") as folder,
        _nothing_set(Path(folder)),
        Runtime(Settings(mode=Mode.PAPER, data_dir=Path(folder))) as runtime,
        use_runtime(runtime),
    ):
        yield runtime


@contextmanager
def _nothing_set(folder: Path) -> Iterator[None]:
    """Without the person's own desk: neither the environment nor `.env` names an account, a broker or a folder."""
    ours = [name for name in os.environ if name.startswith(("DESK_", "UPSTOX_")) or name == "ENCRYPTION_KEY"]
    before = {name: os.environ.pop(name) for name in ours}
    place = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(place)
        os.environ.update(before)
