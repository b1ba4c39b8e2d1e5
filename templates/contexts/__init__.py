"""What each template is filled with: one frozen dataclass a template, by noun; values only, already decided."""
