"""A broker on this machine that speaks Upstox's HTTP. Built from the API documents, not from our client, so that
the two cannot be wrong in the same way: of the rest of the project it knows the route table and `domain` only."""
