"""Who has to sign in: everybody but a person at this very machine, on a desk that is served to this machine alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from streamlit import config

from services.settings import Settings, SignIn

FORWARDING = frozenset(
    {"forwarded", "via", "x-forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"}
    | {"x-forwarded-server", "x-original-host", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip"}
    | {"cf-connecting-ip", "fastly-client-ip", "x-envoy-external-address", "x-proxyuser-ip"}
)
"""What a proxy adds. It may stand on this machine, and whoever comes through it does not."""


def is_local(name: str | None) -> bool:
    """Is `name` (an address or a host's name, without a port) this machine and nothing else?"""
    if name is None:
        return False
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def served_beyond(settings: Settings | None) -> bool:
    """Can anybody but this machine reach the desk, by what it was told at its start?"""
    names: Collection[str] = config.get_option("server.allowedHosts")
    if not is_local(config.get_option("server.address")) or not all(is_local(name.strip("[]")) for name in names):
        return True
    return settings is not None and bool(settings.own_names)


def must_sign_in(settings: Settings | None, peer: str | None, host: str | None, names: Iterable[str]) -> bool:
    """Has whoever asks to sign in? `peer`: the address of the connection; `host`: what the request calls the desk;
    `names`: those of its headers, in lower case. Told per request, so it holds however the server was started."""
    if settings is not None and settings.sign_in is SignIn.ALWAYS:
        return True
    if served_beyond(settings) or not is_local(peer) or not is_local(host_name(host)):
        return True
    return is_passed_on(names)


def is_passed_on(names: Iterable[str]) -> bool:
    """Does a request with headers of these `names` (in lower case) come through a proxy?"""
    return any(name in FORWARDING or name.startswith("x-forwarded-") for name in names)


def host_name(host: str | None) -> str | None:
    """The name in a `Host` header; `None` if there is none in it."""
    try:
        return urlsplit(f"//{host}").hostname if host else None
    except ValueError:
        return None
