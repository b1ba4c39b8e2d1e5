"""Nudging."""
