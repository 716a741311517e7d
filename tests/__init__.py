"""What crosses modules or needs processes."""
