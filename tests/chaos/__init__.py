"""Kill processes at random, and count what arrived."""
