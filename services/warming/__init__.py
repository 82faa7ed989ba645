"""Charts fetched before somebody opens them: what is looked at is counted, by hour and page, and the likeliest of the
coming minutes are kept warm with a tenth of what the broker's limits leave. Off unless a setting turns it on."""
