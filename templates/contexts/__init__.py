"""The data of each template: one frozen dataclass per template, by noun; only values that are already
decided."""
