"""Files of trades and contract notes as plain values: what could be read, and which rows were refused and why."""
