"""Tables, queries by noun, the outbox of messages, the trail."""
