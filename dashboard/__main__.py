"""`python3 -m dashboard`: the whole desk by one command. Only the standard library until it runs inside `.venv`."""

import os
import sys

if not __package__:  # started by its path: python3 /some/where/dashboard
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

from dashboard.bootstrap import enter, rebuild_if_damaged  # ends in words on a Python that is too old
from dashboard.options import check_port, parse
from dashboard.stopping import stop_on_signals


def main() -> int:
    """Read the options, enter `.venv`, run the desk until it is stopped."""
    if sys.argv[1:2] in (["users"], ["keys"]):
        enter("dashboard", sys.argv[1:])
        from dashboard.manage import manage

        return manage(sys.argv[1:])
    options = parse(sys.argv[1:])
    check_port(options)
    enter("dashboard", options.arguments())
    options.export(os.environ)
    stop_on_signals()
    try:
        from dashboard.launcher import run
    except (ImportError, SyntaxError):
        rebuild_if_damaged("dashboard", options.arguments())
        raise
    return run(options)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
