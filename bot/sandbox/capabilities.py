"""What a server knows. Slack knows everything; other servers that speak the API know less."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Switches that make the workspace know less than Slack, so that an app can be tested against it.

    Args:
        time_zones: users carry `tz`, `tz_label` and `tz_offset`.
        file_upload: the methods `files.*` exist.
        metadata: message metadata is kept and given back.
        unknown_methods: methods answered with `unknown_method`.
        scopes: what the app was granted; None means everything a method asks for, without `chat:write.public`.
    """

    time_zones: bool = True
    file_upload: bool = True
    metadata: bool = True
    unknown_methods: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None

    def knows(self, method: str) -> bool:
        """Whether the server has this method at all."""
        return method not in self.unknown_methods and (self.file_upload or not method.startswith("files."))
