"""`python -m services.paper`: the paper broker alone, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import NoReturn

import orjson

from services.domain.errors import ConfigurationError
from services.paper.finding import claim, read_card, start_owned
from services.paper.options import LIVE, PaperOptions
from services.paper.relay.upstream import LiveSource
from services.paper.tokens import is_foreign

PROGRAM = "python -m services.paper"
READ_TOKEN = "DESK_READ_TOKEN"  # noqa: S105  # a name
ACCESS_TOKEN = "DESK_ACCESS_TOKEN"  # noqa: S105  # a name
BAD_OPTIONS, FOLDER_TAKEN, BROKE = 2, 3, 1


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_OPTIONS, f"{self.prog}: {message}\n")


def read_options(arguments: Sequence[str] | None = None) -> PaperOptions:
    """The command line as options; SystemExit 2 with one line if it is wrong."""
    parser = _Parser(
        prog=PROGRAM,
        allow_abbrev=False,
        description="A broker on this machine that speaks Upstox's HTTP. No real money.",
    )
    parser.add_argument("--port", type=_port, default=0, help="0: any free port")
    parser.add_argument("--data-dir", type=Path, required=True, metavar="DIR", help="its account and its card")
    parser.add_argument("--clock", default="always", help="always, exchange, or an ISO instant with xSPEED")
    parser.add_argument("--seed", type=int, default=7, help="same seed and clock, same day")
    parser.add_argument("--instruments", type=_file, metavar="FILE", help="a real instrument master (JSON)")
    parser.add_argument(
        "--prices",
        default="simulated",
        help="simulated, replay:FILE (a recorded feed: FILE[xSPEED]), or live (Upstox's, by the token DESK_READ_TOKEN)",
    )
    parser.add_argument("--candles", type=_folder, metavar="FOLDER", help="real candles, go before the simulator")
    parser.add_argument("--notifier", default="", metavar="URL", help="where approved token requests are delivered")
    parser.add_argument("--plus", action="store_true", help="an account with Upstox Plus: 30 levels, 5 market feeds")
    parser.add_argument(
        "--faults",
        action="store_true",
        help="open /_paper/faults, /_paper/feed-faults, /_paper/update-faults and /_paper/calendar",
    )
    parser.add_argument("--no-limits", action="store_true", help="do not enforce the documented rate limits")
    parser.add_argument(
        "--ping", type=_seconds, metavar="SECONDS", help="ping feeds so often, and drop those mute for twice as long"
    )
    given = parser.parse_args(arguments)
    return PaperOptions(
        folder=given.data_dir.expanduser().absolute(),
        port=given.port,
        clock=given.clock,
        seed=given.seed,
        instruments=given.instruments,
        prices=given.prices,
        live=_live_source(given.prices),
        candles=given.candles,
        plus=given.plus,
        faults=given.faults,
        limits=not given.no_limits,
        ping_seconds=given.ping,
        notifier_url=given.notifier,
    )


def _live_source(prices: str) -> LiveSource | None:
    """Live prices need the read-only token; from the environment, since a command line can be read by everybody."""
    token = os.environ.get(READ_TOKEN, "")
    return LiveSource(token) if prices == LIVE and token else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop. 0: stopped; 1: broke down; 2: bad options; 3: another broker holds the folder."""
    options = read_options(arguments)
    token = os.environ.get(ACCESS_TOKEN, "")
    if token and is_foreign(token):
        return _say(BAD_OPTIONS, f"{ACCESS_TOKEN} is not a paper broker's: a paper process holds no live trading token")
    stop = Event()
    # Set before the start, which takes a moment: a signal then still ends in 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        lock = claim(options.folder)
        if lock is None:
            card = read_card(options.folder)
            where = f" (process {card.pid}, {card.base_url})" if card is not None else ""
            return _say(FOLDER_TAKEN, f"another paper broker{where} holds {options.folder}")
        found = start_owned(options.folder, options, lock)
    except ConfigurationError as error:
        return _say(BAD_OPTIONS, " ".join(str(error).split()))
    try:
        told = orjson.dumps({"base_url": found.base_url, "access_token": found.access_token()})
        sys.stdout.write(told.decode() + "\n")
        sys.stdout.flush()
        while not stop.wait(0.2):
            if found.server is not None and not found.server.is_alive:
                return _say(BROKE, "the broker ended by an error")
        return 0
    finally:
        found.close()


def _say(code: int, text: str) -> int:
    sys.stderr.write(f"{PROGRAM}: {text}\n")
    return code


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port between 0 and 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds between 0.1 and 3600")
    return seconds


def _file(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {path}")
    return path


def _folder(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path}")
    return path


if __name__ == "__main__":
    sys.exit(main())
