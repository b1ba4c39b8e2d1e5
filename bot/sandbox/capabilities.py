"""The capabilities of a server. Slack has all; other servers with its API have fewer."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Switches that remove capabilities of Slack, so that an app can be tested without them.

    Args:
        time_zones: users carry `tz`, `tz_label` and `tz_offset`.
        file_upload: the methods `files.*` exist.
        file_scan: after this time a completed file has its type, and messages can show it.
        metadata: message metadata is stored and returned.
        refused_blocks: types of blocks refused with `invalid_blocks`, as by servers without them.
        unknown_methods: methods answered with `unknown_method`.
        scopes: what the app was granted; None means everything a method asks for, without `chat:write.public`.
    """

    time_zones: bool = True
    file_upload: bool = True
    file_scan: timedelta = timedelta()
    metadata: bool = True
    refused_blocks: frozenset[str] = frozenset()
    unknown_methods: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None

    def knows(self, method: str) -> bool:
        """Whether the server has this method at all."""
        return method not in self.unknown_methods and (self.file_upload or not method.startswith("files."))
