"""Make the servers fit the declaration: roles, databases, publication, slots, positions, routes."""

from django_seams.provision._provision import provision
from django_seams.provision._step import ProvisionError, Step

__all__ = ["ProvisionError", "Step", "provision"]
