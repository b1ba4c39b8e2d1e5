"""Kill whatever can be killed, and count what arrived."""
