"""Queries of the surfaces that show everything at once: digest, Home, registry."""
