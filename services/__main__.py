"""`python -m services VERB …`: what a desk's operators do from the command line, under one name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

VERBS = {
    "quote": ("services.commands.quote", "prices of instruments"),
    "candles": ("services.commands.candles", "candles of an instrument, as a table or a CSV file"),
    "orders": ("services.commands.orders", "the orders of today, or its fills"),
    "health": ("services.commands.health", "the checks of the desk, in words; 1 when one fails"),
    "retention": ("services.commands.retention", "what is kept how long and how much it is; retention apply"),
    "users": ("services.commands.users", "who may sign in: list, add, role, password, sign-out, remove"),
    "backup": ("services.commands.backup", "copy the ledger; a running desk is not disturbed"),
    "restore": ("services.commands.restore", "put a copy in the ledger's place; stop the desk first"),
    "ledger": ("services.ledger.__main__", "copies of the ledger, looked over too, and its move into PostgreSQL"),
    "paper": ("services.paper.__main__", "the paper broker, by itself"),
}
"""Each a module with `main(arguments)`, loaded when it is asked for, and what it is for."""
BAD_OPTIONS = 2
_FOOT = """
python -m services VERB --help tells more. Most take --json, --mode and --data-dir, and all the desk's settings.
Exit codes: 0 done, 1 trouble, 2 the words on the command line or the settings are wrong.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """What the verb says; 2: there is none of that name."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in VERBS:
        return _run(VERBS[given[0]][0], given[1:])
    if given and given[0] in {"-h", "--help"}:
        told = "".join(f"  {verb:<10} {words}\n" for verb, (_, words) in VERBS.items())
        sys.stdout.write(f"usage: python -m services VERB …\n\n{told}{_FOOT}")
        return 0
    sys.stderr.write(f"python -m services: one of {', '.join(VERBS)}; --help tells what they are for\n")
    return BAD_OPTIONS


def _run(module: str, words: Sequence[str]) -> int:
    try:
        code: int = import_module(module).main(words)
    except SystemExit as end:  # argparse has said what is wrong, or helped
        return end.code if isinstance(end.code, int) else BAD_OPTIONS
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("services"):
            raise
        sys.stderr.write(
            f"python -m services: {error.name} is not installed for this Python; the desk's packages are in .venv:\n"
            ".venv/bin/python -m services …\n"
        )
        return BAD_OPTIONS
    return code


if __name__ == "__main__":
    sys.exit(main())
