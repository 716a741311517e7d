"""CPU profile of one process of the Procfile, whose command line stays as it is."""

from bench.profile.hook import hook
from bench.profile.top import top_functions

__all__ = ["hook", "top_functions"]
