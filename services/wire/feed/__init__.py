"""Market data feed V3: frames <-> flat rows, requests, recordings. Pure: no socket, no file, no clock."""
