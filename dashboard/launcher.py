"""Runs the desk inside `.venv`: looks whether it can start, serves the pages, opens the browser."""

from __future__ import annotations

import http.client
import os
import sqlite3
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from uvicorn.config import LOGGING_CONFIG

from dashboard.asgi import app
from dashboard.options import Options
from dashboard.progress import refuse, say
from dashboard.push.protocol import use_direct_protocol
from services.domain.errors import ConfigurationError, StorageError, UpstoxError
from services.runtime import Runtime, get_runtime


def run(options: Options) -> int:
    """Serve the pages until a signal ends the process. A wrong set-up is told in one line, with exit code 2."""
    runtime = checked_runtime()
    mode = "live rehearsal" if runtime.settings.live_rehearsal else f"{runtime.settings.mode.value} mode"
    greeting = f"Upstox Desk, {mode}: {options.url}  (Ctrl-C stops it)"
    opener = webbrowser.open if options.browser and has_screen() else None
    threading.Thread(target=announce, args=(options, greeting, opener), name="announce", daemon=True).start()
    for logger in LOGGING_CONFIG["loggers"].values():  # the greeting says what the server's own lines would
        logger["level"] = "WARNING"
    use_direct_protocol()
    app.run(config=server_settings(options))
    return 0


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


def server_settings(options: Options) -> dict[str, Any]:
    """What the command line decides; everything else is in `.streamlit/config.toml`."""
    return {
        "server.address": options.host,
        "server.port": options.port,
        "server.allowedHosts": sorted({"localhost", "127.0.0.1", options.host}),  # as in the browser's address line
        "logger.hideWelcomeMessage": True,
    }


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
    """Is the page server up?"""
    connection = http.client.HTTPConnection(options.host, options.port, timeout=1)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
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
