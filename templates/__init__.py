"""Jinja2 templates of everything people see, with one frozen context each."""
