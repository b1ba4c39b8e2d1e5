"""The outbox: queueing, attempts, leases and rate limits."""
