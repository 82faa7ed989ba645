"""HTTP to the broker: one session, one table of its errors, pacing, retry, fallback, a typed method per operation."""
