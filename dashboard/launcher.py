"""Runs the desk inside `.venv`: looks whether it can start, serves the pages, opens the browser."""

from __future__ import annotations

import http.client
import os
import sqlite3
import ssl
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from uvicorn.config import LOGGING_CONFIG

from dashboard.asgi import app
from dashboard.locks.issuer import can_ask_issuer, has_issuer
from dashboard.locks.rule import is_local
from dashboard.options import Options
from dashboard.progress import refuse, say
from dashboard.prompt_protocol import use_prompt_protocol
from dashboard.push.protocol import use_direct_protocol
from services.desk_card import DeskCard, known
from services.domain.errors import ConfigurationError, StorageError, UpstoxError
from services.heaps import share_heaps
from services.runtime import Runtime, get_runtime
from services.settings import Settings, SignIn

_ON_THIS_MACHINE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # asked, not chosen


def run(options: Options) -> int:
    """Serve the pages until a signal ends the process. A wrong set-up is told in one line, with exit code 2."""
    share_heaps()
    runtime = checked_runtime()
    check_locks(options, runtime)
    options = replace(options, tls_cert=runtime.settings.tls_cert, tls_key=runtime.settings.tls_key)
    mode = "live rehearsal" if runtime.settings.live_rehearsal else f"{runtime.settings.mode.value} mode"
    greeting = f"Upstox Desk, {mode}: {options.url}  (Ctrl-C stops it)"
    opener = webbrowser.open if options.browser and has_screen() else None
    threading.Thread(target=announce, args=(options, greeting, opener), name="announce", daemon=True).start()
    for logger in LOGGING_CONFIG["loggers"].values():  # the greeting says what the server's own lines would
        logger["level"] = "WARNING"
    use_direct_protocol()
    use_prompt_protocol()
    if (common := runtime.settings.common_key("Streamlit's cookies")) is not None:
        os.environ["STREAMLIT_SERVER_COOKIE_SECRET"] = common.hex()  # it takes secrets in no other way
    with known(runtime.folder, card_of(options)):
        app.run(config=server_settings(options, runtime.settings))
    return 0


def card_of(options: Options) -> DeskCard:
    """How programs on this machine reach the desk."""
    host = _ON_THIS_MACHINE.get(options.host, options.host)
    url = replace(options, host=host, names=()).url
    return DeskCard(url, os.getpid(), str(options.tls_cert or ""))


def checked_runtime(make: Callable[[], Runtime] = get_runtime) -> Runtime:
    """The runtime with its files open: what is wrong with settings or data is said here, not in a page."""
    try:
        runtime = make()
        try:
            for part in ("tokens", "ledger", "market_pool"):
                getattr(runtime, part)
        except (ConfigurationError, StorageError):
            raise
        except UpstoxError:
            pass  # a broker that cannot be reached is no reason not to start: the pages tell it
    except (ConfigurationError, StorageError) as error:
        refuse(f"The desk cannot start. {error}", 2)
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        refuse(f"The desk cannot start: its data folder is not usable. {error}", 2)
    return runtime


def check_locks(options: Options, runtime: Runtime) -> None:
    """Refuse to start a desk that others could reach and that is not locked, in words, with exit code 2."""
    settings = runtime.settings
    beyond = not is_local(options.host)
    if options.is_everywhere and not settings.own_names:
        refuse(
            f"--host {options.host}: say under which name or address other machines reach the desk: --name desk.lan", 2
        )
    if beyond and settings.tls_cert is None and not settings.plain_http:
        refuse(
            f"--host {options.host}: without TLS everybody on the way could read passwords and prices. Give the desk a "
            "certificate\n(--tls-cert FILE --tls-key FILE), put a proxy before it (docs/security.md), or say "
            "--plain-http for a network that you trust.",
            2,
        )
    if settings.tls_cert is not None and settings.tls_key is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            refuse(f"The certificate {settings.tls_cert} cannot be used with its key: {error.args[-1]}", 2)
    if has_issuer(settings) and not can_ask_issuer():
        refuse(
            "DESK_OIDC_METADATA_URL: signing in by an issuer needs two packages more: .venv/bin/python -m pip install "
            '"streamlit[auth]"',
            2,
        )
    if beyond or settings.own_names or settings.sign_in is SignIn.ALWAYS:
        try:
            anybody = runtime.sign_ins.any_user()
        except (StorageError, SQLAlchemyError) as error:
            refuse(f"The desk cannot start: its users cannot be read. {error}", 2)
        if not anybody:
            refuse(
                "Whoever reaches this desk could trade in your name, and nobody has a password yet.\n"
                f"Add yourself first: python3 -m dashboard users {_folder_words(options)}add YOUR-NAME --role operator",
                2,
            )


def _folder_words(options: Options) -> str:
    words = ["--data-dir", f'"{options.data_dir}"'] if options.data_dir else []
    words += ["--mode", options.mode] if options.mode else []
    return "".join(f"{word} " for word in words)


def server_settings(options: Options, settings: Settings) -> dict[str, Any]:
    """What the command line decides; everything else is in `.streamlit/config.toml`."""
    names = {"localhost", "127.0.0.1", *settings.own_names}  # as in the browser's address line
    if not options.is_everywhere:
        names.add(options.host)
    given = {
        "server.address": options.host,
        "server.port": options.port,
        "server.allowedHosts": sorted(names),
        "logger.hideWelcomeMessage": True,
    }
    if options.tls_cert and options.tls_key:
        given |= {"server.sslCertFile": str(options.tls_cert), "server.sslKeyFile": str(options.tls_key)}
    return given


def announce(
    options: Options,
    greeting: str,
    open_browser: Callable[[str], object] | None,
    *,
    answers: Callable[[Options], bool] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Thread `announce`: waits until the server answers, greets, opens the browser. Gives up after a minute or so."""
    answers = answers or server_answers
    for _ in range(1200):
        if answers(options):
            say(greeting)
            if open_browser is not None:
                open_browser(options.url)
            return
        sleep(0.05)


def server_answers(options: Options) -> bool:
    """Is the page server up? One that is locked says so, which will do; one that speaks TLS listens when it is up."""
    host = _ON_THIS_MACHINE.get(options.host, options.host)
    connection = http.client.HTTPConnection(host, options.port, timeout=1)
    try:
        if options.tls_cert:
            connection.connect()
            return True
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status in (200, 401)
    except OSError:
        return False
    except http.client.HTTPException:
        return False
    finally:
        connection.close()


def has_screen() -> bool:
    """Is there somewhere to open a window? Without one, a text browser would take over the terminal."""
    if os.name == "nt" or sys.platform == "darwin":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
