"""Tokens by which tools and people's assistants reach the bot."""
