"""Rehearsals: the bot in the built-in workspace, with demo users who follow answers files."""
