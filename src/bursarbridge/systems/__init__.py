"""One file or folder per campus system, both directions, pure."""
