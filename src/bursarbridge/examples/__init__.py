"""Templates that `init` writes: they are part of the package, so that they are tested with it."""
