"""Whatever happens in whatever order: the account adds up to the paisa, and its file says the same as its memory."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.domain.errors import BrokerError
from services.paper.trading.order_values import Changes, Fill, Wanted
from tests.support.trading import BSE_SHARE, CALL, DOLLAR, FUTURE, PLAIN, PUT, SHARE, TICKS, Account, e4

KEYS = (SHARE, PLAIN, BSE_SHARE, FUTURE, CALL, PUT, DOLLAR)
_ODD = st.integers(80, 120)


@st.composite
def wishes(draw: st.DrawFn) -> Wanted:
    key = draw(st.sampled_from(KEYS))
    kind = draw(st.sampled_from(["MARKET", "LIMIT", "LIMIT", "SL", "SL-M"]))
    buys = draw(st.booleans())
    tick = TICKS[key]
    price, trigger = (draw(_ODD) * 10_000 + draw(st.integers(-20, 20)) * tick for _ in range(2))
    if kind == "SL":
        price, trigger = (
            (max(price, trigger), min(price, trigger)) if buys else (min(price, trigger), max(price, trigger))
        )
    lot = 65 if key in {FUTURE, CALL, PUT} else 1
    return Wanted(
        key,
        buys,
        lot * draw(st.integers(1, 12)),
        draw(st.sampled_from(["I", "D", "D", "MTF"])),
        kind,
        validity=draw(st.sampled_from(["DAY", "DAY", "IOC"])) if kind in {"MARKET", "LIMIT"} else "DAY",
        price=price if kind in {"LIMIT", "SL"} else 0,
        trigger=trigger if kind in {"SL", "SL-M"} else 0,
        slices=draw(st.booleans()),
    )


def _place(wanted: Wanted) -> Callable[[Account], object]:
    return lambda account: account.desk.place(wanted)


def _move(key: str, last: int, quantities: list[int]) -> Callable[[Account], object]:
    def act(account: Account) -> None:
        tick = TICKS[key] / 10_000
        lot = 65 if key in {FUTURE, CALL, PUT} else 1
        asks = [(last + n * tick, lot * many) for n, many in enumerate(quantities)]
        bids = [(last - (n + 1) * tick, lot * many) for n, many in enumerate(quantities)]
        account.market.set(key, float(last), bids=bids, asks=asks)

    return act


def _wait(seconds: int) -> Callable[[Account], object]:
    def act(account: Account) -> None:
        account.clock.instant += timedelta(seconds=seconds)
        account.desk.advance()

    return act


def _modify(which: int, changes: Changes) -> Callable[[Account], object]:
    return lambda account: account.desk.modify(_one(account, which), changes)


def _cancel(which: int) -> Callable[[Account], object]:
    return lambda account: account.desk.cancel(_one(account, which))


def _convert(which: int, quantity: int, new: str) -> Callable[[Account], object]:
    def act(account: Account) -> None:
        positions = account.desk.positions()
        if positions:
            one = positions[which % len(positions)]
            account.desk.convert(one.key, buys=one.quantity > 0, quantity=quantity, old=one.product, new=new)

    return act


def _exit(account: Account) -> object:
    return account.desk.exit_all()


def _reopen(account: Account) -> object:
    return account.reopen()


def _one(account: Account, which: int) -> str:
    orders = account.desk.orders()
    return orders[which % len(orders)].order_id if orders else "none"


ACTIONS = st.one_of(
    wishes().map(_place),
    wishes().map(_place),
    st.builds(_move, st.sampled_from(KEYS), _ODD, st.lists(st.integers(0, 40), min_size=5, max_size=5)),
    st.builds(_wait, st.sampled_from([1, 1, 5, 600, 3600, 6 * 3600])),
    st.builds(
        _modify,
        st.integers(0, 30),
        st.builds(
            Changes,
            quantity=st.sampled_from([None, 1, 65, 130]),
            price=st.sampled_from([None, 990_000, 1_010_000]),
            order_type=st.sampled_from([None, "MARKET", "LIMIT"]),
        ),
    ),
    st.builds(_cancel, st.integers(0, 30)),
    st.builds(_convert, st.integers(0, 9), st.integers(1, 130), st.sampled_from(["I", "D", "MTF"])),
    st.just(_exit),
    st.just(_reopen),
)


def _told(account: Account) -> dict[str, Any]:
    desk = account.desk
    return {
        "orders": desk.orders(),
        "trades": desk.trades(),
        "positions": desk.positions(),
        "holdings": desk.holdings(),
        "funds": desk.funds(),
    }


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ACTIONS, min_size=4, max_size=30), st.booleans())
def test_money_and_positions_at_fill_prices_are_conserved(
    actions: list[Callable[[Account], object]], practice: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        account = Account(Path(folder), "2026-11-20 14:30:00", practice=practice)
        try:
            for act in actions:
                before = _told(account)
                try:
                    act(account)
                except BrokerError:
                    assert _told(account) == before
                account.check()
            told = _told(account)
            account.reopen()
            assert _told(account) == told
        finally:
            account.close()


Side = list[tuple[int, int]]
"""Price and quantity."""


def _displayed(luck: random.Random, key: str, last: int) -> tuple[Side, Side]:
    """Bids and offers around `last`, some of them empty."""
    many = [(65 if key == CALL else 1) * luck.randint(0, 30) for _ in range(5)]
    bids = [(e4(last) - (n + 1) * TICKS[key], one) for n, one in enumerate(many)]
    return bids, [(e4(last) + n * TICKS[key], one) for n, one in enumerate(many)]


def _check_fills(fills: list[Fill], bids: Side, asks: Side) -> None:
    """So much was displayed at these prices or better ones, and no more has been filled of it."""
    for sign, levels in ((1, asks), (-1, bids)):
        mine = [fill for fill in fills if (1 if fill.buys else -1) == sign]
        for worst in {fill.price for fill in mine}:
            taken = sum(fill.quantity for fill in mine if sign * (worst - fill.price) >= 0)
            assert taken <= sum(many for price, many in levels if sign * (worst - price) >= 0)


@pytest.mark.parametrize("seed", range(6))
def test_no_more_is_filled_than_was_displayed_and_never_beyond_a_limit(tmp_path: Path, seed: int) -> None:
    luck = random.Random(seed)
    account = Account(tmp_path, "2026-11-20 10:00:00")
    account.desk.reset(10**12)
    key = (PLAIN, CALL)[seed % 2]
    for _ in range(25):
        last, before = luck.randint(98, 102), len(account.desk.trades())
        bids, asks = _displayed(luck, key, last)
        rupees_of = [[(price / 10_000, many) for price, many in side] for side in (bids, asks)]
        account.market.set(key, float(last), bids=rupees_of[0], asks=rupees_of[1])
        for _ in range(6):
            known = len(account.desk.trades())
            wish = replace(_any_wish(luck), key=key, product="I", quantity=65 * luck.randint(1, 9))
            change = Changes(price=e4(luck.randint(98, 102)))
            acts = [_place(wish)] * 5 + [_modify(luck.randint(0, 30), change), _wait(1), _cancel(luck.randint(0, 30))]
            with suppress(BrokerError):
                luck.choice([*acts, _reopen])(account)
            for fill in account.desk.trades()[known:]:
                limit = account.desk.order(fill.order_id).limit
                assert (fill.price <= limit) if fill.buys else (fill.price >= limit)
            _check_fills(account.desk.trades()[before:], bids, asks)
    assert len(account.desk.trades()) > 20
    account.check()
    account.close()


@pytest.mark.parametrize("seed", range(8))
def test_days_of_busy_trading_add_up(tmp_path: Path, seed: int) -> None:
    luck = random.Random(seed)
    account = Account(tmp_path, "2026-11-16 09:00:00", practice=seed % 4 == 0)
    for _ in range(70):
        act = _any_action(luck)
        with suppress(BrokerError):
            act(account)
        account.check()
    told = _told(account)
    account.reopen()
    assert _told(account) == told
    account.close()


def _any_action(luck: random.Random) -> Callable[[Account], object]:
    """Much trading, much time."""
    return luck.choices(
        [
            _place(_any_wish(luck)),
            _move(luck.choice(KEYS), luck.randint(85, 115), [luck.randint(0, 60) for _ in range(5)]),
            _wait(luck.choice([1, 5, 60, 1800, 3600, 7200, 6 * 3600, 12 * 3600])),
            _modify(
                luck.randint(0, 30), Changes(price=luck.choice([None, 990_000]), quantity=luck.choice([None, 65, 130]))
            ),
            _cancel(luck.randint(0, 30)),
            _convert(luck.randint(0, 9), luck.randint(1, 130), luck.choice(["I", "D", "MTF"])),
            _exit,
            _reopen,
        ],
        weights=[45, 20, 20, 3, 3, 4, 2, 3],
    )[0]


def _any_wish(luck: random.Random) -> Wanted:
    key, buys = luck.choice(KEYS), luck.random() < 0.5
    kind = luck.choice(["MARKET", "LIMIT", "LIMIT", "SL", "SL-M"])
    low, high = sorted(luck.randint(90, 110) * 10_000 + luck.randint(-20, 20) * TICKS[key] for _ in range(2))
    return Wanted(
        key,
        buys,
        luck.randint(1, 12) * (65 if key in {FUTURE, CALL, PUT} else luck.choice([1, 1, 20])),
        luck.choice(["I", "D", "D", "D", "MTF"]),
        kind,
        validity=luck.choice(["DAY", "IOC"]) if kind in {"MARKET", "LIMIT"} else "DAY",
        price=(high if buys else low) if kind in {"LIMIT", "SL"} else 0,
        trigger=(low if buys else high) if kind in {"SL", "SL-M"} else 0,
        slices=luck.random() < 0.3,
    )
