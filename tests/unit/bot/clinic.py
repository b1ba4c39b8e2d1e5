"""A database, a server with Slack's API, and the doctor's findings about both."""

import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

from bot.ops.doctor import Finding, examine
from bot.ops.manifest import scopes
from bot.settings import Settings
from storage.engine import Database
from storage.tables import Curator, Member, Team, TeamMember, Workspace
from tests.unit.bot.fake_slack import FakeSlack

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
BOT_TOKEN = "xoxb-7-hunter2"
APP_TOKEN = "xapp-7-hunter2"
TEAM_ID = "T01ACME"


def healthy(slack: FakeSlack) -> None:
    """Set up the server's answers as if nothing were missing."""
    slack.headers |= {"x-oauth-scopes": ",".join(scopes()), "Date": "Tue, 01 Dec 2026 09:30:20 GMT"}
    slack.answers |= {
        "auth.test": {"ok": True, "team_id": TEAM_ID, "team": "Acme", "user_id": "U0BOT", "bot_id": "B0"},
        "apps.connections.open": {"ok": True, "url": "wss://127.0.0.1/socket"},
        "conversations.info": {"ok": True, "channel": {"id": "C0", "is_member": True}},
        "users.info": {"ok": False, "error": "user_not_found"},
    }


class Clinic:
    """Everything the doctor looks at; healthy until a test changes something.

    `migrated` is an empty database that is up to date; it is copied, because migrating takes a while.
    """

    def __init__(self, slack: FakeSlack, folder: Path, *, migrated: Path) -> None:
        self.slack = slack
        self._migrated = migrated
        self.file = folder / "cadence.db"
        self.url = f"sqlite:///{self.file}"
        self.now = NOW
        self.settings: dict[str, Any] = {
            "slack_bot_token": BOT_TOKEN,
            "slack_app_token": APP_TOKEN,
            "slack_api_url": slack.api_url,
            "database_url": self.url,
        }
        self.workspace = Workspace(id=TEAM_ID, name="Acme", curator_channel="C0CUR", created_at=NOW)
        self.team = self.new_team("support-emea", "Support EMEA", channel="C0EMEA")
        self.curators = ["U0CUR"]
        self.members = [self.person("U0LEAD", "Lea"), self.person("U0ONE", "Ono")]

    def person(self, member: str, name: str, **known: Any) -> Member:
        """The stored data of a person."""
        return Member(workspace_id=TEAM_ID, id=member, name=name, seen_at=NOW, **known)

    def new_team(self, slug: str, title: str, *, channel: str) -> Team:
        """A team with a reporter."""
        return Team(
            workspace_id=TEAM_ID,
            slug=slug,
            title=title,
            function="support",
            channel=channel,
            timezone="Europe/Berlin",
            reporter="U0LEAD",
            created_at=NOW,
        )

    def store(self, *, strangers: Iterable[str] = (), more_teams: Iterable[Team] = ()) -> None:
        """Store the workspace; `strangers` are members of the team whom Slack hasn't described."""
        copyfile(self._migrated, self.file)
        db = Database(self.url)
        with db.write() as session:
            session.add(self.workspace)
            session.flush()
            for curator in self.curators:
                session.add(Curator(workspace_id=TEAM_ID, member=curator, since=NOW))
            session.add_all([self.team, *more_teams, *self.members])
            session.flush()
            inside = [*(person.id for person in self.members), *strangers]
            for member in inside:
                session.add(
                    TeamMember(workspace_id=TEAM_ID, team_id=self.team.id or 0, member=member, joined_at=NOW)
                )
        db.close()

    def examine(self) -> list[Finding]:
        """The doctor's findings, after checking that they are well worded and contain no secret."""
        findings = examine(Settings(_env_file=None, **self.settings), clock=lambda: self.now)
        for finding in findings:
            assert finding.what.endswith("."), finding
            assert finding.ok or finding.remedy.endswith("."), finding
            assert "hunter2" not in f"{finding}"
        assert len(set(findings)) == len(findings)
        return findings

    def report(self) -> str:
        """All that the doctor found, a finding a line."""
        return "\n".join(f"{'ok' if one.ok else 'TODO'}: {one.what}" for one in self.examine())

    def todo(self) -> dict[str, str]:
        """The findings to fix: each `what`, and its remedy."""
        return {finding.what: finding.remedy for finding in self.examine() if not finding.ok}


def only(todo: dict[str, str]) -> tuple[str, str]:
    """The one thing that has to be done, and its remedy."""
    (found,) = todo.items()
    return found


def in_words(todo: dict[str, str]) -> str:
    """Each thing that has to be done, and below it its remedy."""
    return "\n".join(f"{what}\n  {remedy}" for what, remedy in todo.items())


def closed_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
