"""``make bench``: how fast an order goes through, measured on real processes over the public API."""
