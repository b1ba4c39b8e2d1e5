"""Use cases, one package per feature. A use case loads, decides, saves and queues messages in one
transaction."""
