"""`python -m services VERB …`: what a desk's operators do from the command line, under one name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

VERBS = {
    "ledger": ("services.ledger.__main__", "copies of the ledger, and its move into PostgreSQL"),
    "paper": ("services.paper.__main__", "the paper broker, by itself"),
}
"""Each a module with `main(arguments)`, and what it is for."""
BAD_OPTIONS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """What the verb says; 2: there is none of that name."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in VERBS:
        code: int = import_module(VERBS[given[0]][0]).main(given[1:])
        return code
    asked = bool(given) and given[0] in {"-h", "--help"}
    told = "".join(f"  {verb:<8} {words}\n" for verb, (_, words) in VERBS.items())
    (sys.stdout if asked else sys.stderr).write(f"usage: python -m services VERB …\n{told}")
    return 0 if asked else BAD_OPTIONS


if __name__ == "__main__":
    sys.exit(main())
