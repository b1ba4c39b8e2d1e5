"""What people see: Jinja2 templates, one frozen context each."""
