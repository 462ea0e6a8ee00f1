"""One suite for every adapter, one for every endpoint."""
