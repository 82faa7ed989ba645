"""Prices out of a seed: daily closes, paths through a day, seconds inside a minute, the book, and a snapshot of it all.

Read downwards: `daily` -> `paths` -> `rows` -> `board` (with `texture`) -> `snapshots` (with `book`, `option_pricing`).
"""
