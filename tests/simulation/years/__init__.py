"""Campus-years: the real bridge on a clock, a disk and a network that a seed owns, between partners whose true books are the oracle."""
