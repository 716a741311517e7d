"""The roof as a Django app: its commands, and the start-up checks that cross modules."""

from django.apps import AppConfig


class MonolithConfig(AppConfig):
    name = "monolith"
