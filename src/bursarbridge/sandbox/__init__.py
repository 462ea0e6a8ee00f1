"""An emulated campus. Speaks only through the files and protocols of the real one, with its own few lines."""
