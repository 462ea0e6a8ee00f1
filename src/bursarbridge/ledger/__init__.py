"""The field's nouns and rules: pure, without I/O, clock, log or file words."""
