"""Profit and loss of an account: fills of all sources, matched, charged, and held against what the broker says."""
