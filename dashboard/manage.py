"""`python3 -m dashboard users …` and `… keys …`: who may sign in, and the key of the token store. The desk may run."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable, Sequence
from pathlib import Path

from dashboard.progress import refuse, say
from services.commands import users
from services.domain.errors import UpstoxError
from services.runtime.doors import rotate_keys_in
from services.settings import load_settings

PROGRAM = "python3 -m dashboard"


def manage(words: Sequence[str], *, ask: Callable[[str], str] = getpass.getpass) -> int:
    """Do what the command line says. What cannot be done ends in one line: 2 where other words are needed, else 1."""
    if words[:1] == ["users"]:
        return users.main(words[1:], ask=ask, program=PROGRAM)
    return _keys(words[1:])


def _keys(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} keys", description="The key that the stored tokens are encrypted with."
    )
    parser.add_argument("--data-dir", type=Path, metavar="FOLDER", help="as for the desk")
    parser.add_argument("--mode", choices=("paper", "live"), help="as for the desk; each has a key of its own")
    parser.add_argument("order", choices=("rotate",), help="make a new key and encrypt everything anew with it")
    read = parser.parse_args(words)
    try:
        say(rotate_keys_in(load_settings(mode=read.mode, data_dir=read.data_dir)))
    except UpstoxError as error:
        refuse(f"{str(error)[:1].upper()}{str(error)[1:]}.", 2)
    return 0
