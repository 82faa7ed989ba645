"""Checks of the desk: `python -m tests` runs them all. The folders mirror the source."""
