"""The system as real processes on servers of its own: killed, cut off, started again."""
