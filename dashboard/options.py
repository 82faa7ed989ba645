"""The command line of `python3 -m dashboard`. Standard library only: it is read before the packages exist."""

from __future__ import annotations

import argparse
import errno
import ipaddress
import os
import socket
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dashboard.progress import refuse

DEFAULT_PORT = 8501

_EPILOG = """\
Without options the desk runs on paper: it needs no account and talks to no real broker.
Every other setting is an environment variable (or a line in .env); README.md lists them.
Served beyond this machine, everybody signs in: add them with python3 -m dashboard users add NAME.
Ctrl-C stops the desk.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. None: the setting of that name in the environment decides, or its default."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    browser: bool = True
    data_dir: Path | None = None
    mode: str | None = None
    names: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    plain_http: bool = False

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        shown = self.host
        if self.is_everywhere:
            shown = self.names[0] if self.names else "localhost"
        host = f"[{shown}]" if ":" in shown else shown
        return f"{'https' if self.tls_cert else 'http'}://{host}:{self.port}"

    @property
    def is_everywhere(self) -> bool:
        """Does it listen on every address of this machine?"""
        return self.host in ("0.0.0.0", "::")  # noqa: S104  # asked, not chosen

    def arguments(self) -> list[str]:
        """The same wishes as a command line, independent of the folder in which it is read."""
        words = ["--host", self.host, "--port", str(self.port)]
        words += [] if self.browser else ["--no-browser"]
        words += ["--data-dir", str(self.data_dir)] if self.data_dir else []
        words += [word for name in self.names for word in ("--name", name)]
        words += ["--tls-cert", str(self.tls_cert)] if self.tls_cert else []
        words += ["--tls-key", str(self.tls_key)] if self.tls_key else []
        words += ["--plain-http"] if self.plain_http else []
        return words + (["--mode", self.mode] if self.mode else [])

    def export(self, environment: MutableMapping[str, str]) -> None:
        """Hand the settings among them to the services, which read the environment."""
        if self.data_dir:
            environment["DESK_DATA_DIR"] = str(self.data_dir)
        if self.mode:
            environment["DESK_MODE"] = self.mode
        if self.names:
            environment["DESK_NAMES"] = ",".join(self.names)
        if self.tls_cert:
            environment["DESK_TLS_CERT"] = str(self.tls_cert)
        if self.tls_key:
            environment["DESK_TLS_KEY"] = str(self.tls_key)
        if self.plain_http:
            environment["DESK_PLAIN_HTTP"] = "1"


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line. A wish that cannot be met ends the program in words, before anything is made."""
    parser = argparse.ArgumentParser(
        prog="python3 -m dashboard",
        description="Starts Upstox Desk in the browser. The first start sets up everything that it needs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of the pages (%(default)s; 0: any free)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s: this machine alone)")
    parser.add_argument("--name", action="append", default=[], help="name or address that other machines call it by")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate (PEM), to be served over https")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its key")
    parser.add_argument("--plain-http", action="store_true", help="serve other machines without TLS all the same")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    parser.add_argument("--data-dir", type=Path, metavar="FOLDER", help="where data is kept (your user-data folder)")
    parser.add_argument("--mode", choices=("paper", "live"), help="paper (default), or live: the real broker")
    read = parser.parse_args(arguments)
    _check_host(read.host)
    if not 0 <= read.port <= 65535:
        refuse(f"--port {read.port}: a port is a number from 1 to 65535 (0: any free one).", 2)
    return Options(
        host=read.host,
        port=read.port or free_port(read.host),
        browser=not read.no_browser,
        data_dir=_absolute(read.data_dir),
        mode=read.mode,
        names=tuple(read.name),
        tls_cert=_absolute(read.tls_cert),
        tls_key=_absolute(read.tls_key),
        plain_http=read.plain_http,
    )


def check_port(options: Options) -> None:
    """End the program in words if the port cannot be had, naming one that can."""
    problem = _bind(options.host, options.port)
    if problem is None:
        return
    if problem.errno == errno.EADDRINUSE:
        refuse(
            f"Port {options.port} is taken, perhaps by a desk that is already running: {options.url}\n"
            f"For a second one: python3 -m dashboard --port {free_port(options.host, options.port + 1)}",
            2,
        )
    if problem.errno == errno.EACCES:
        refuse(f"Port {options.port} is reserved by the system; take one above 1023, for example {DEFAULT_PORT}.", 2)
    refuse(f"Cannot listen on {options.host} port {options.port}: {problem.strerror or problem}.", 2)


def free_port(host: str, first: int = 0) -> int:
    """A port that nobody listens on: the next ones from `first`, else any."""
    for port in range(first, min(first + 20, 65536)) if first else ():
        if _bind(host, port) is None:
            return port
    with socket.create_server((host, 0), family=_family(host)) as any_port:
        number: int = any_port.getsockname()[1]
    return number


def _check_host(host: str) -> None:
    try:
        ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        refuse(f"--host {host}: give an address of this machine (127.0.0.1, 192.168.1.5, 0.0.0.0 for all of them).", 2)


def _absolute(path: Path | None) -> Path | None:
    return Path(os.path.abspath(path.expanduser())) if path else None  # noqa: PTH100  # no links followed


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _bind(host: str, port: int) -> OSError | None:
    """Try to listen there, as the server will; the error if that fails."""
    with socket.socket(_family(host)) as probe:
        if os.name == "posix":  # elsewhere this option would share a port that is in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            return error
    return None
