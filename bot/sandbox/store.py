"""Stores a workspace in one small SQLite file, so that channels, messages and forms survive a restart."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.sandbox.files import File
from bot.sandbox.kinds import Json
from bot.sandbox.messages import Message
from bot.sandbox.people import Channel, User

if TYPE_CHECKING:
    from bot.sandbox.workspace import Workspace

_KEPT = frozenset({"user", "channel", "message", "home", "stack", "file", "number", "clock"})


class Store:
    """Loads the stored state into a workspace, then writes every change through.

    The workspace as constructed is the base; only later changes are stored. Triggers and response URLs are
    too short-lived to be stored.

    Args:
        path: the file; made, with its folder, when it isn't there.
        workspace: whose state it is. Attach it before the server starts.
    """

    def __init__(self, path: Path, workspace: "Workspace") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._workspace = workspace
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS kept (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key))"
        )
        self._load()
        workspace.pulse.keeper = self._keep
        workspace.clock.on_move = self._keep_clock

    def close(self) -> None:
        """Stop storing."""
        with self._workspace.pulse.lock:
            self._workspace.pulse.keeper = None
            self._workspace.clock.on_move = None
            self._db.close()

    def _keep(self, kind: str, key: str, value: Json | None) -> None:
        """Called under the workspace's lock, so one thread at a time uses the connection."""
        if kind not in _KEPT:
            return
        if value is None:
            self._db.execute("DELETE FROM kept WHERE kind = ? AND key = ?", (kind, key))
        else:
            row = (kind, key, json.dumps(value, ensure_ascii=False))
            self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", row)

    def _keep_clock(self) -> None:
        clock = self._workspace.clock
        with self._workspace.pulse.lock:
            self._keep("clock", "", {"at": clock.now().isoformat(), "ahead": clock.offset.total_seconds()})

    def _load(self) -> None:
        for kind, key, text in self._db.execute("SELECT kind, key, value FROM kept").fetchall():
            self._restore(kind, key, json.loads(text))

    def _restore(self, kind: str, key: str, row: Json) -> None:
        workspace = self._workspace
        match kind:
            case "user":
                workspace.save_user(User(**row))
            case "channel":
                workspace.save_channel(Channel.from_row(row))
            case "message":
                workspace.messages.restore(Message.from_row(row))
            case "home" | "stack":
                workspace.views.restore(kind, key, row)
            case "file":
                workspace.files.restore(File.from_row(row))
            case "number":
                workspace.pulse.restore_number(key, row["number"])
            case "clock":
                clock = workspace.clock
                running = datetime.now(UTC) + timedelta(seconds=row["ahead"])
                clock.set(datetime.fromisoformat(row["at"]) if clock.frozen else running)
