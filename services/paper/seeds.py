"""Random streams that depend on names only: the same seed and names give the same numbers in every process."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: object) -> np.random.Generator:
    """A generator of its own for `names` (their text counts) under `seed`.

    The names go through BLAKE2 because Python's own hash of a text differs from process to process.
    """
    key = np.frombuffer(_digest(seed, names), dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def chance(seed: int, *names: object) -> float:
    """One number in [0, 1) for `names`: a stream would be much work for a single draw."""
    return int.from_bytes(_digest(seed, names)[:6], "big") / float(1 << 48)


def _digest(seed: int, names: tuple[object, ...]) -> bytes:
    return hashlib.blake2b("\x1f".join(map(str, (seed, *names))).encode(), digest_size=16).digest()
