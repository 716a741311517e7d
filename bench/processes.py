"""The Procfile's processes, with their ids, so that their CPU time can be told apart."""

from monolith.processes import Processes


class NamedProcesses(Processes):
    """Processes whose ids are known by name."""

    def pids(self) -> dict[str, int]:
        """Name → process id of what runs now."""
        return {name: process.pid for name, process in self._running.items()}
