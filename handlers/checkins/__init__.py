"""The weekly check-in."""
