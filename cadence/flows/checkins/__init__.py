"""Checkins."""
