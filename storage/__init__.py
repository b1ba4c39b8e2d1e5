"""Tables, queries by noun, the ledger of messages owed, the trail."""
