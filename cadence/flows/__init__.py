"""One use case a file: load, decide, save and queue the messages in one transaction."""
