"""The paper broker's websockets: market data (binary protobuf) and portfolio updates (text JSON).

Read downwards: `protocol` (the socket) -> `stream` (one open feed, with `faults`) -> `market_feed` (with `requests`,
`subscriptions`, `market_info`, `rows`, `encoding`, `depth`) and `portfolio_feed`. `tickets` hold the single-use codes,
`feeds` holds it all together. `load` is a program of its own for benchmarks.
"""
