"""Live state: the latest of every subscribed instrument, who wants what, and how healthy the feed is."""
