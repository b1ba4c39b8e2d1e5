"""Workspaces: installations, tokens, people, Homes."""
