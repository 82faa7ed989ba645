"""`python3 tests/run_tests.py`: the guide's command for `python3 -m tests`."""

import os
import sys
from importlib import import_module

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  # before pathlib is sure to be there

if __name__ == "__main__":
    try:
        sys.exit(import_module("tests.__main__").main())
    except KeyboardInterrupt:
        sys.exit(130)
