"""Overviews: status, the digest, Home, the registry."""
