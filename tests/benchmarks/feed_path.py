"""The whole way of prices: a real websocket from a load generator in a process of its own, connection, decoder, board,
tick sink. Held against the official SDK's streamer on the same generator, each in a process of its own.

`DESK_BENCH_STREAM_SECONDS=60` makes the stream at 50,000 updates a second as long as the bar says.
"""
