"""Who calls: users with UUID keys and their bearer tokens. Modules know only ``customer_id``."""
