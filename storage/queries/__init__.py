"""Queries, a module per noun."""
