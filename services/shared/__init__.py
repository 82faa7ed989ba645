"""What several processes of one desk share over Redis: the lease of the feed, prices, quotes, the broker's limits."""
