"""The broker's spelling <-> our domain. Pure: payload in, value out; no I/O, no clock, no state."""
