"""The procedures: read, decide, write. They know ports and store, no adapter by name."""
