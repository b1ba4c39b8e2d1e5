"""Playbooks: their files and their versions."""
