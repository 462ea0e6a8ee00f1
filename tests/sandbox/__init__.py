"""Tests of the emulated campus."""
