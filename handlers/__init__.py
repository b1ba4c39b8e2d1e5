"""Slack's entry points: parse, one call to a flow, answer. A module or a package per feature."""
