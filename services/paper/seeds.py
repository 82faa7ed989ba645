"""Random streams that depend on names only: the same seed and names give the same numbers in every process."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: object) -> np.random.Generator:
    """A generator of its own for `names` (their text counts) under `seed`.

    The names go through BLAKE2 because Python's own hash of a text differs from process to process.
    """
    digest = hashlib.blake2b("\x1f".join(map(str, (seed, *names))).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, dtype=np.uint64)))
