"""Pure money: what was gained, what it cost, and what cannot be known. No I/O, no clock; integers of fixed units."""
