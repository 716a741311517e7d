"""``make demo``: 24 orders through real processes, some of which are killed on the way."""
