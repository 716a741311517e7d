"""CPU profile of one process of the Procfile, whose command line stays as it is."""

from bench.profile.hook import hook
from bench.profile.top import summary

__all__ = ["hook", "summary"]
