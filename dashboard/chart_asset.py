"""The drawing library of the charts, plotly.js, as the installed plotly package ships it: from here and nowhere else.

Its address names its version, so that browsers may keep it for good. It is sent compressed, which is done once.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.metadata import version
from importlib.resources import files

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

ADDRESS = f"/assets/plotly-{version('plotly')}.min.js"
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}
_LEVEL = 6


@cache
def _script() -> bytes:
    return files("plotly").joinpath("package_data/plotly.min.js").read_bytes()


@cache
def _compressed() -> bytes:
    return gzip.compress(_script(), _LEVEL, mtime=0)


async def drawing_library(request: Request) -> Response:
    """The script."""
    packed = "gzip" in request.headers.get("accept-encoding", "")
    content = await anyio.to_thread.run_sync(_compressed if packed else _script)
    headers = {**_HEADERS, "Content-Encoding": "gzip"} if packed else _HEADERS
    return Response(content, headers=headers, media_type="text/javascript")


def asset_routes() -> list[BaseRoute]:
    """The route of it."""
    return [Route(ADDRESS, drawing_library, methods=["GET"])]
