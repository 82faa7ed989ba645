"""Upstox Desk below the browser: quotes, login and storage, usable from any Python program.

Read in this order: `domain` (what things are) -> `wire` (the broker's spelling of them) -> `transport`, `storage`,
`ledger`, `paper` (the rooms that do I/O) -> `runtime` (who builds whom) -> the public services named in
`docs/architecture.md`, for example `market_quote_v3`.
"""
