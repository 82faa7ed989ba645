"""What all verbs share: options, exit codes, the runtime, and how an error ends one."""

from __future__ import annotations

import argparse
import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from sqlalchemy.exc import SQLAlchemyError

from services.commands.telling import one_line
from services.domain.errors import BadInstrumentKey, ConfigurationError, InvalidRequest, UpstoxError
from services.logs import redact
from services.runtime import Runtime, use_runtime
from services.settings import Mode, Settings, load_settings

PROGRAM = "python -m services"
DONE, TROUBLE, BAD_OPTIONS = 0, 1, 2
STOPPED = 130
_NOT_GIVEN = argparse.SUPPRESS


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_OPTIONS, f"{self.prog}: {message}\n")


def parser(verb: str, about: str, *, program: str = PROGRAM) -> Parser:
    """The parser of one verb with the options that all of them have."""
    made = Parser(prog=f"{program} {verb}", description=about, allow_abbrev=False)
    made.set_defaults(json=False, mode=None, data_dir=None)
    add_common(made)
    return made


def add_common(made: argparse.ArgumentParser) -> None:
    """The options that all verbs have, also for the parser of a word below a verb."""
    made.add_argument("--json", action="store_true", default=_NOT_GIVEN, help="JSON instead of a table")
    made.add_argument(
        "--mode", choices=[mode.value for mode in Mode], default=_NOT_GIVEN, help="as for the desk (default: paper)"
    )
    made.add_argument("--data-dir", type=path, metavar="DIR", default=_NOT_GIVEN, help="as for the desk")


def path(text: str) -> Path:
    """An absolute path, with `~` understood."""
    return Path(text).expanduser().absolute()


def settings_of(given: argparse.Namespace) -> Settings:
    """The desk's settings, with what the command line says."""
    return load_settings(mode=given.mode, data_dir=given.data_dir)


@contextmanager
def runtime_of(given: argparse.Namespace) -> Iterator[Runtime]:
    """The runtime that `given` names, which is this process's inside the block. On paper it uses the broker of a desk
    that runs on the data folder, else one of its own, which ends with the command."""
    with Runtime(settings_of(given)) as runtime, use_runtime(runtime):
        yield runtime


def ended(verb: str, do: Callable[[], int], *, program: str = PROGRAM) -> int:
    """The exit code of `do`. What it raises is told in one line: 2 where other words are needed on the command line or
    in the settings, 1 where the same words may do later."""
    silence = logging.NullHandler()
    logging.getLogger().addHandler(silence)  # what goes wrong is told here, and once
    try:
        code = do()
        sys.stdout.flush()
    except (ConfigurationError, InvalidRequest, BadInstrumentKey) as error:
        return refuse(verb, str(error), BAD_OPTIONS, program=program)
    except UpstoxError as error:
        return refuse(verb, str(error) or type(error).__name__, program=program)
    except BrokenPipeError:  # whoever reads has seen enough: `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return TROUBLE
    except (OSError, sqlite3.Error) as error:
        return refuse(verb, getattr(error, "strerror", None) or str(error), program=program)
    except SQLAlchemyError as error:  # its text may hold values
        return refuse(verb, f"the ledger cannot be used ({type(error).__name__})", program=program)
    except KeyboardInterrupt:
        return STOPPED
    finally:
        logging.getLogger().removeHandler(silence)
    return code


def refuse(verb: str, reason: str, code: int = TROUBLE, *, program: str = PROGRAM) -> int:
    """One line on stderr; returns `code`."""
    sys.stderr.write(f"{program} {verb}: {one_line(redact(reason))}\n")
    return code
