"""Ex Libris Alma: its bursar export in (fees become charges), its bursar import out (payments go back). Mapping: docs/systems/alma.md."""
