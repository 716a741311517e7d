"""Payments inside the monolith: a driver and the provider that it talks to. No models, no handlers."""
