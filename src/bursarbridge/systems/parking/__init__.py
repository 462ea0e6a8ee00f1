"""A parking office: its lists of violations, and of holds where it makes them itself."""
