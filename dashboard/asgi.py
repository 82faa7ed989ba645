"""The page server: opens the desk beside itself, adds own routes and security headers, closes all in reverse."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import streamlit as st
from starlette.middleware import Middleware
from streamlit import config

from dashboard.graphql_api.route import graphql_routes
from dashboard.headers import SecurityHeaders
from dashboard.left_pages import leave_out_left_pages
from dashboard.locks.gate import Gate
from dashboard.locks.issuer import set_up_issuer
from dashboard.locks.sign_in_page import sign_in_routes
from dashboard.own_names import OwnNamesOnly
from dashboard.page_messages import PageMessages
from dashboard.push.route import push_routes
from dashboard.resources import close_desk, desk, opening, push_hub, push_tokens
from dashboard.routes import RegisteredCallback, routes
from dashboard.stopping import heed_first_signal_only
from dashboard.supervisor import Supervisor
from dashboard.theme import accent_options, mode_look
from dashboard.theme_once import tell_theme_once
from dashboard.timers import hear_no_timers
from dashboard.token_notice import notice_routes
from dashboard.turns import take_turns
from dashboard.whole_pages import keep_pages_whole
from services.domain.errors import ConfigurationError
from services.heaps import give_back
from services.logs import setup_logging

SWITCH_INTERVAL = 0.0005
"""Seconds after which a busy thread hands over: a page being drawn must not hold up whoever reads prices."""
GC_THRESHOLDS = (50_000, 20, 20)
"""One answer of 500 quotes makes some thousands of containers; with Python's 700 the collector keeps starting."""
COLLECT_SECONDS = 30.0
"""Between two whole rounds of the collector. Streamlit's own, after every run of a session, is off (config.toml)."""
SETTLE_SECONDS = 5.0

log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any] | None]:
    """Once per process. The server listens at once; the desk opens meanwhile and pages wait for it."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    heed_first_signal_only()
    leave_out_left_pages()
    keep_pages_whole()
    hear_no_timers()
    take_turns()
    tell_theme_once()
    with ExitStack() as closing:
        _prepare(closing)
        opening()
        settling = asyncio.create_task(anyio.to_thread.run_sync(_settle))
        pumping = asyncio.create_task(_pump())
        collecting = asyncio.create_task(_collect())
        try:
            async with Supervisor().told():
                yield None
        finally:
            settling.cancel()
            pumping.cancel()
            collecting.cancel()
            push_hub().close()
            await anyio.to_thread.run_sync(close_desk)


async def _pump() -> None:
    """Tell the browsers what changes, from when the desk is open."""
    while not opening().ready.is_set():
        await asyncio.sleep(0.1)
    await push_hub().run()


async def _collect() -> None:
    """What sessions have left behind goes, however little else is made meanwhile."""
    while True:
        await asyncio.sleep(COLLECT_SECONDS)
        await anyio.to_thread.run_sync(_tidy)


def _tidy() -> None:
    gc.collect()
    give_back()


def _settle() -> None:
    """Import what the first page would import, then take everything that stays out of the garbage collector's rounds,
    which take 20-40 ms each otherwise."""
    import pandas  # noqa: F401
    import pyarrow  # type: ignore[import-untyped]  # noqa: F401  # ships no types

    opening().wait(SETTLE_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _prepare(closing: ExitStack) -> None:
    """The log in the data folder, and the accent of the mode."""
    try:
        runtime = desk()
        closing.enter_context(setup_logging(runtime.folder))
        set_up_issuer(runtime.settings)
        look = mode_look(runtime.settings)
    except (ConfigurationError, OSError) as error:
        log.warning("no log file and no accent of the mode: %s", error)  # a page tells what is wrong
        return
    for name, colour in accent_options(look).items():
        config.set_option(name, colour)


app = st.App(
    Path(__file__).with_name("app.py"),
    lifespan=lifespan,
    routes=[
        *routes(),
        *sign_in_routes(desk),
        *notice_routes(desk, lambda: opening().ready.is_set()),
        *push_routes(push_hub, push_tokens),
        *graphql_routes(desk, lambda: opening().ready.is_set()),
    ],
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(OwnNamesOnly),
        Middleware(Gate, runtime=desk),
        Middleware(RegisteredCallback),
        Middleware(PageMessages),
    ],
)
