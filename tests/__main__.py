"""`python3 -m tests`: enters `.venv`, with what the checks need besides, and runs them."""

import sys

from dashboard.bootstrap import enter  # ends in words on a Python that is too old
from dashboard.environment import CHECKS
from tests.checks import HELP, run


def main() -> int:
    """The exit code: 0 when everything was right."""
    arguments = sys.argv[1:]
    if arguments in (["-h"], ["--help"]):
        sys.stdout.write(HELP)
        return 0
    enter("tests", arguments, CHECKS)
    return run(arguments)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
