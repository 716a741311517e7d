"""Stand-ins for the outside world: processes of their own that import nothing of this repository."""
