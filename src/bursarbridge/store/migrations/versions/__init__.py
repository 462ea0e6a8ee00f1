"""The migrations, by number; one that was released is never edited."""
