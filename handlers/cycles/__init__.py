"""Cycles: running one, moving a team to another version, submitting the playbook."""
