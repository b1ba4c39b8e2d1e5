"""The surfaces that show everything at once: digest, Home, registry, status."""
