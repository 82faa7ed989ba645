"""The account's payloads: profile, funds, token grant, access-token request and its notice, logout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.domain.accounts import Funds, Profile, RegisteredAddresses
from services.wire.fields import (
    Row,
    as_map,
    decimal,
    decimal_or_none,
    flag_or_none,
    instant_ms,
    text,
    text_or_none,
    texts,
)


@dataclass(frozen=True, slots=True, repr=False)
class TokenGrant:
    """What the token call gives. Its tokens appear in no repr."""

    access_token: str
    extended_token: str | None
    user_id: str
    user_name: str
    email: str
    broker: str
    is_active: bool

    def __repr__(self) -> str:
        return f"TokenGrant(user_id={self.user_id!r})"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """An access-token request that waits for the person's consent on the phone until `expires` (aware, UTC)."""

    expires: datetime
    notifier_url: str


@dataclass(frozen=True, slots=True, repr=False)
class TokenNotice:
    """What the broker posts to the notifier address after consent. It is not signed: check client and token."""

    client_id: str
    user_id: str
    access_token: str
    issued: datetime
    expires: datetime

    def __repr__(self) -> str:
        return f"TokenNotice(user_id={self.user_id!r}, expires={self.expires.isoformat()})"


def parse_profile(data: object) -> Profile:
    """The person behind the token."""
    row = as_map(data, "data")
    return Profile(
        user_id=text(row, "user_id", "data"),
        user_name=text_or_none(row, "user_name", "data") or "",
        email=text_or_none(row, "email", "data") or "",
        broker=text_or_none(row, "broker", "data") or "",
        exchanges=texts(row, "exchanges", "data"),
        products=texts(row, "products", "data"),
        order_types=texts(row, "order_types", "data"),
        is_active=flag_or_none(row, "is_active", "data") is not False,
    )


def parse_addresses(data: object) -> RegisteredAddresses:
    """The registered static addresses; empty where there is none."""
    row = as_map(data, "data")

    def told(name: str) -> str:
        return text_or_none(row, name, "data") or ""

    return RegisteredAddresses(
        told("primary_ip"), told("primary_ip_updated_at"), told("secondary_ip"), told("secondary_ip_updated_at")
    )


def parse_funds(data: object) -> Funds:
    """Money free and money blocked, in rupees, of either version, told apart by shape.

    v3: `available_to_trade.total`, and what cash and pledge margin use together. v2: the `equity` block alone: since
    July 2025 it holds both segments' money and the commodity block shows zeros, so the two are never added.
    """
    row = as_map(data, "data")
    if "available_to_trade" in row:
        where = "data.available_to_trade"
        free = as_map(row["available_to_trade"], where)
        used = _margin_used(free, "cash_available_to_trade", where) + _margin_used(
            free, "pledge_available_to_trade", where
        )
        return Funds(decimal(free, "total", where), used, "v3")
    equity = as_map(row.get("equity"), "data.equity")
    return Funds(
        decimal(equity, "available_margin", "data.equity"), decimal(equity, "used_margin", "data.equity"), "v2"
    )


def _margin_used(free: Row, name: str, where: str) -> Decimal:
    """What one pot uses; an account that never pledged has no such pot."""
    if free.get(name) is None:
        return Decimal(0)
    pot = as_map(free[name], f"{where}.{name}")
    used = as_map(pot.get("margin_used") or {}, f"{where}.{name}.margin_used")
    return decimal_or_none(used, "total", f"{where}.{name}.margin_used") or Decimal(0)


def parse_token_grant(row: Row) -> TokenGrant:
    """The token call's answer, flat as it comes."""
    return TokenGrant(
        access_token=text(row, "access_token", "token"),
        extended_token=text_or_none(row, "extended_token", "token"),
        user_id=text_or_none(row, "user_id", "token") or "",
        user_name=text_or_none(row, "user_name", "token") or "",
        email=text_or_none(row, "email", "token") or "",
        broker=text_or_none(row, "broker", "token") or "",
        is_active=flag_or_none(row, "is_active", "token") is not False,
    )


def parse_token_request(data: object) -> TokenRequest:
    row = as_map(data, "data")
    return TokenRequest(
        instant_ms(row, "authorization_expiry", "data"), text_or_none(row, "notifier_url", "data") or ""
    )


def parse_token_notice(body: object) -> TokenNotice:
    row = as_map(body, "notice")
    return TokenNotice(
        client_id=text(row, "client_id", "notice"),
        user_id=text(row, "user_id", "notice"),
        access_token=text(row, "access_token", "notice"),
        issued=instant_ms(row, "issued_at", "notice"),
        expires=instant_ms(row, "expires_at", "notice"),
    )
