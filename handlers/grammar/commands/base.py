"""What every command is."""


class Command:
    """A command, once read. What is None was not said: the handler infers it or opens the form."""

    __slots__ = ()
