"""The benchmarks: whole commands against measured floors, in the same rounds (docs/performance.md)."""
