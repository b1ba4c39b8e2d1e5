"""Uploaded files, kept in memory: enough for charts and exports that a bot shares."""

import mimetypes
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json
from bot.sandbox.pulse import Pulse


@dataclass(frozen=True, slots=True)
class File:
    """A file: reserved by `files.getUploadURLExternal`, uploaded, then completed and shared.

    Args:
        id: `F…`.
        name: with its extension.
        length: bytes announced.
        secret: the part of the upload URL that can't be guessed.
        content: what was uploaded, None before.
        title: given when completed.
        alt_text: what a screen reader says.
        complete: whether it can be shared and seen.
        scanned_at: Unix time from which its type is known, so that a message can show it.
    """

    id: str
    name: str
    length: int
    secret: str
    content: bytes | None = None
    title: str = ""
    alt_text: str = ""
    complete: bool = False
    scanned_at: float = 0

    @property
    def mimetype(self) -> str:
        """Guessed from the name."""
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    def as_slack(self, base_url: str, now: datetime) -> Json:
        """The file object of `files.info`."""
        address = f"{base_url}/files/{self.id}/{self.name}"
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mimetype if self.is_scanned(now) else "",
            "size": self.length,
            "alt_txt": self.alt_text,
            "url_private": address,
            "url_private_download": address,
            "permalink": address,
        }

    def is_scanned(self, now: datetime) -> bool:
        """Whether Slack has looked into it by now."""
        return self.complete and now.timestamp() >= self.scanned_at

    def as_row(self) -> Json:
        """Plain values, for the store."""
        row: Json = {key: getattr(self, key) for key in self.__slots__}
        return row | {"content": None if self.content is None else self.content.hex()}

    @classmethod
    def from_row(cls, row: Json) -> "File":
        """The file `as_row` was called on."""
        content = row["content"]
        return cls(**(row | {"content": None if content is None else bytes.fromhex(content)}))


class Files:
    """All files of a workspace."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._files: dict[str, File] = {}

    def reserve(self, name: str, length: int, alt_text: str) -> File:
        """Promise room for a file that will be uploaded."""
        return self.save(
            File(self._pulse.new_id("F"), name, length, secrets.token_urlsafe(18), alt_text=alt_text)
        )

    def save(self, file: File) -> File:
        """Add a file, or replace the one with this ID."""
        with self._pulse.lock:
            self._files[file.id] = file
            self._pulse.note("file", file.id, file.as_row())
            return file

    def remove(self, file_id: str) -> None:
        """Delete a file, as a person does in Slack."""
        self.save(replace(self.get(file_id), content=None, complete=False))

    def restore(self, file: File) -> None:
        """Put a file back without counting it as a change."""
        self._files[file.id] = file

    def get(self, file_id: object) -> File:
        """A file by its ID; `file_not_found` if it doesn't exist."""
        found = self._files.get(file_id) if isinstance(file_id, str) else None
        if found is None:
            raise SlackError("file_not_found")
        return found

    def upload(self, secret: str, content: bytes) -> File:
        """Take the content of a reserved file; its length must be what was announced."""
        found = next(
            (f for f in list(self._files.values()) if secrets.compare_digest(f.secret, secret)), None
        )
        if found is None or found.content is not None:
            raise SlackError("file_not_found", status=404)
        if len(content) != found.length:
            raise SlackError("length_mismatch", status=400)
        return self.save(replace(found, content=content))

    def finish(self, file_id: object, title: str, *, scanned_at: datetime) -> File:
        """Complete an uploaded file so that it can be seen."""
        file = self.get(file_id)
        if file.content is None or file.complete:
            raise SlackError("file_not_found")
        return self.save(replace(file, title=title, complete=True, scanned_at=scanned_at.timestamp()))
