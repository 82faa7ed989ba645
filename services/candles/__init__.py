"""Candles that are complete, and say so: what is stored, what is missing, what still changes."""
