"""The rules and the use cases of Rollout Cadence."""
