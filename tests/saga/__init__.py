"""Every path of an order through all three modules: real inboxes, real PostgreSQL, a provider in memory."""
