"""How the desk itself does: what its parts have counted, in one value, told to Prometheus, and kept for a week."""
