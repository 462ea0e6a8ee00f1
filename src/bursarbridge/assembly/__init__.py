"""Settings to flows: which adapter reads and writes what, at which place. Builds, and does nothing else. The only room that names systems."""
