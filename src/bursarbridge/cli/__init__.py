"""The command line: thin verbs. Answers on stdout, messages on stderr, and every error ends with what to type next."""

from bursarbridge.cli.app import main

__all__ = ["main"]
