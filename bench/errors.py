"""What goes wrong while measuring."""


class BenchError(Exception):
    """The system could not be measured; the message says what happened."""
