"""Which purchase belongs to which sale: first in, first out, for each account and instrument."""
