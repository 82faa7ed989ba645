"""Prices to the browser without any script run: a websocket beside the pages that tells what changed, a few times a
second, encoded once for all who watch the same."""
