"""Delivery: sending the outbox through Slack's API."""
