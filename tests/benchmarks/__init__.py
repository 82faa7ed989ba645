"""Measurements against the usual way, in the same run: `python -m tests.benchmarks [quotes] [cache] [pool]`."""
