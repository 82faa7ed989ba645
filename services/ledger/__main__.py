"""`python -m services ledger`: back a ledger up, look one over, put a copy back, move one into PostgreSQL."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from services.desk_card import desk_on
from services.domain.clock import HostClock
from services.domain.errors import ConfigurationError, UpstoxError
from services.ledger.backup import Checked, back_up_ledger, check, restore
from services.ledger.engine import LEDGER_FILE
from services.ledger.figures import Figures
from services.ledger.opening import is_server
from services.settings import Mode, load_settings

PROGRAM = "python -m services ledger"
SOUND, TROUBLE, BAD_OPTIONS = 0, 1, 2


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_OPTIONS, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None, *, program: str = PROGRAM) -> int:
    """0: done, and what was written equals what was read; 1: trouble, said in words; 2: bad options. `program`: as it
    was called."""
    given = _parser(program).parse_args(arguments)
    try:
        settings = load_settings(mode=given.mode, data_dir=given.data_dir)
        path = given.ledger or settings.folder / LEDGER_FILE
        url = settings.ledger_url.get_secret_value() if settings.ledger_url else ""
        backups = given.to or path.parent / "backups"
        now = HostClock(time.time).now()
        if given.command == "copy":
            _refuse_beside_a_desk(path.parent)
            return _copy(path, url, backups, now, settings.folder.name)
        if is_server(url) and given.ledger is None and getattr(given, "file", None) is None:
            return _on_server(given.command, url, as_json=given.json)
        if given.command == "check":
            return _look_over(given.file or path, as_json=given.json)
        if given.command == "backup":
            return _tell("copied to", back_up_ledger(path, backups, now=now), as_json=given.json)
        if not given.yes:
            return _ask_first(given.copy, path, as_json=given.json)
        _refuse_beside_a_desk(path.parent)
        done = restore(given.copy, path, backups, now=now)
        if done.before is not None and not given.json:
            _say(f"what was there before is in {done.before}")
        return _tell("restored to", done.now, as_json=given.json, before=done.before)
    except ConfigurationError as error:
        return _fail(program, BAD_OPTIONS, error)
    except UpstoxError as error:
        return _fail(program, TROUBLE, error)


def _parser(program: str) -> argparse.ArgumentParser:
    where = _Parser(add_help=False, allow_abbrev=False)
    where.add_argument("--mode", choices=[mode.value for mode in Mode], help="whose ledger (default: paper)")
    where.add_argument("--data-dir", type=_path, metavar="DIR", help="the desk's data folder")
    where.add_argument("--ledger", type=_path, metavar="FILE", help="this very file instead")
    where.add_argument("--json", action="store_true", help="JSON instead of words")
    where.add_argument("--to", type=_path, metavar="DIR", help="where copies go (default: 'backups' beside the ledger)")
    parser = _Parser(
        prog=program, description="Copies of the ledger: make one, look one over, put one back.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    commands.add_parser("backup", parents=[where], help="copy the ledger; a running desk is not disturbed")
    checking = commands.add_parser("check", parents=[where], help="look a ledger or a copy over")
    checking.add_argument("file", nargs="?", type=_path, help="default: the ledger")
    commands.add_parser(
        "copy",
        parents=[where],
        help="put the ledger's file into the PostgreSQL database of DESK_LEDGER_URL; stop the desk",
    )
    restoring = commands.add_parser("restore", parents=[where], help="put a copy in the ledger's place; stop the desk")
    restoring.add_argument("copy", type=_path)
    restoring.add_argument("--yes", action="store_true", help="do it; without this it is only told what would happen")
    return parser


def _refuse_beside_a_desk(folder: Path) -> None:
    """What a desk holds in memory of its orders would not be what the ledger says from then on."""
    if (desk := desk_on(folder)) is not None:
        raise ConfigurationError(f"a desk runs on {folder} (process {desk.pid}); stop it first, nothing was changed")


def _copy(path: Path, url: str, backups: Path, now: datetime, mode: str) -> int:
    if not is_server(url):
        raise ConfigurationError("set DESK_LEDGER_URL to the database that the ledger shall be in (postgresql://…)")
    from services.ledger.copying import copy_ledger  # here: a desk with a file never loads the driver

    done = copy_ledger(path, url, backups=backups, now=now, mode=mode, progress=_say)
    _say(f"copied {path}\n  into {done.target}, for {mode} mode; every row was compared")
    _say(done.figures.in_words())
    _say(f"From now on every process needs DESK_LEDGER_URL; put {path.name} away, so that none goes on with it.")
    return SOUND


def _on_server(command: str, url: str, *, as_json: bool) -> int:
    from services.ledger.postgres import ServerLedger, hurry_not  # here: as above
    from services.ledger.server_figures import server_figures, server_trouble

    with closing(ServerLedger(url)) as ledger:
        if command != "check":
            raise ConfigurationError(
                f"{ledger.name} is copied and put back by PostgreSQL's own programs: {ledger.dumping}"
            )
        with ledger.read() as connection:
            hurry_not(connection)
            trouble = server_trouble(connection)
            figures = None if trouble else server_figures(connection)
    if as_json:
        _say(_json("database", ledger.name, figures, trouble))
    else:
        for words in trouble:
            _say(words)
        _say(f"{'damaged:' if trouble else 'sound:'} {ledger.name}")
        if figures is not None:
            _say(figures.in_words())
    return TROUBLE if trouble else SOUND


def _look_over(path: Path, *, as_json: bool) -> int:
    found = check(path)
    for words in () if as_json else found.trouble:
        _say(words)
    return _tell("damaged:" if found.trouble else "sound:", found, as_json=as_json)


def _ask_first(copy: Path, path: Path, *, as_json: bool) -> int:
    if _look_over(copy, as_json=as_json) != SOUND:
        return TROUBLE
    (sys.stderr if as_json else sys.stdout).write(
        f"nothing was changed; with --yes this takes the place of {path}, which is copied first\n"
    )
    return BAD_OPTIONS


def _tell(words: str, found: Checked, *, as_json: bool, before: Path | None = None) -> int:
    if as_json:
        _say(_json("file", str(found.path), found.figures, found.trouble, before=before))
    else:
        _say(f"{words} {found.path}")
        _say(found.figures.in_words())
    return TROUBLE if found.trouble else SOUND


def _json(what: str, place: str, figures: Figures | None, trouble: Sequence[str], *, before: Path | None = None) -> str:
    told: dict[str, object] = {what: place, "sound": not trouble, "trouble": list(trouble)}
    if figures is not None:
        told |= {
            "revision": figures.revision,
            "rows": dict(figures.counts),
            "filled": figures.filled,
            "traded": figures.traded,
            "turnover": str(figures.turnover),
        }
    return json.dumps(told if before is None else told | {"before": str(before)}, indent=1)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _fail(program: str, code: int, error: UpstoxError) -> int:
    sys.stderr.write(f"{program}: {' '.join(str(error).split())}\n")
    return code


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


if __name__ == "__main__":
    sys.exit(main())
