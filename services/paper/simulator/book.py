"""Five levels of bids and offers around a last price, made of the price itself: a level keeps its size for some seconds
and then changes, wherever the price has gone meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.paper.simulator.texture import BOOK, Texture

Ints = NDArray[np.int64]
LEVELS = 5
_REFRESH = 4
"""Seconds that a level keeps its size."""


@dataclass(frozen=True, slots=True)
class Book:
    """(n, 5) arrays, best first; prices in ticks. `total_bid`, `total_ask`: (n,) quantities of the whole book."""

    bid: Ints
    bid_quantity: Ints
    bid_orders: Ints
    ask: Ints
    ask_quantity: Ints
    ask_orders: Ints
    total_bid: Ints
    total_ask: Ints
    last_quantity: Ints


def make_book(
    texture: Texture,
    last: Ints,
    walls: Ints,
    second: Ints,
    mark: Ints,
    calm: NDArray[np.float64],
    width: Ints,
    step: Ints,
    base: NDArray[np.float64],
    lot: Ints,
) -> Book:
    """The book of `n` instruments at `second` of the session.

    `last` was done at the best bid or the best offer. `calm`: chance that the spread is no wider than `width` ticks;
    `step`: ticks between levels; `base`: typical quantity of a level; `walls`: (n, 2) circuit limits in ticks, where
    one side of the book is missing.
    """
    dice = texture.chance[(mark + 2_654_435 * second) % BOOK]
    more = texture.chance[(mark + 40_503 * second + 11) % BOOK]
    spread = width + (more > calm) + (more > calm + 0.75 * (1 - calm))
    at_bid = np.where(last >= walls[:, 1], True, np.where(last <= walls[:, 0], False, dice < 0.5))
    best_bid = np.where(at_bid, last, last - spread)
    best_ask = np.where(at_bid, last + spread, last)
    depth = np.arange(LEVELS) * step[:, None]
    bid, ask = best_bid[:, None] - depth, best_ask[:, None] + depth
    bid_quantity, bid_orders = _sizes(texture, bid, second, mark, base, lot)
    ask_quantity, ask_orders = _sizes(texture, ask, second, mark + 1, base, lot)
    tide = (mark + second // 20) % BOOK
    whole = base * 45
    done = np.maximum(texture.size[(mark + 5 * second) % BOOK] * base * 0.35 / lot, 1.0)
    return Book(
        bid=bid,
        bid_quantity=bid_quantity,
        bid_orders=bid_orders,
        ask=ask,
        ask_quantity=ask_quantity,
        ask_orders=ask_orders,
        total_bid=bid_quantity.sum(axis=1) + _lots(whole * (0.7 + 0.6 * texture.chance[tide]), lot),
        total_ask=ask_quantity.sum(axis=1) + _lots(whole * (0.7 + 0.6 * texture.chance[(tide + 99) % BOOK]), lot),
        last_quantity=done.astype(np.int64) * lot,
    )


def _sizes(
    texture: Texture, price: Ints, second: Ints, mark: Ints, base: NDArray[np.float64], lot: Ints
) -> tuple[Ints, Ints]:
    turn = (second[:, None] + price % _REFRESH) // _REFRESH
    luck = texture.size[(mark[:, None] + 31 * price + 977 * turn) % BOOK]
    growth = 1.0 + 0.3 * np.arange(LEVELS)
    quantity = np.maximum(_lots(base[:, None] * luck * growth, lot[:, None]), lot[:, None])
    crowd = texture.chance[(mark[:, None] + 57 * price + 389 * turn) % BOOK]
    orders = 1 + (crowd * np.sqrt(quantity / lot[:, None])).astype(np.int64)
    return quantity, np.minimum(orders, quantity // lot[:, None])


def _lots(quantity: NDArray[np.float64], lot: Ints) -> Ints:
    return np.floor(quantity / lot).astype(np.int64) * lot
