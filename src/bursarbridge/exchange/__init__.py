"""Carrying bytes, never parsing them."""
