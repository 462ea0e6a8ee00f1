"""PeopleSoft Campus Solutions: charges out, posting results and payments in. Pure."""
