"""The baseline for Rollout Cadence: the least that Bolt can do for a slash command.

`python -m tests.bench.bare DATABASE_URL PORT`: one listener, one row put in with SQLModel, an answer. Signature,
WSGI server, threads and database engine are those of `cadence web`.
"""

import sys
from datetime import UTC, datetime
from threading import Event
from typing import Any

from slack_bolt import Ack, App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from sqlalchemy import MetaData
from sqlmodel import Field, SQLModel

from bot.runtime.http_server import serving
from storage.engine import Database

THREADS = 16


class Apart(SQLModel):
    """Keeps the table out of those of Rollout Cadence."""

    metadata = MetaData()


class BareReading(Apart, table=True):
    """One number that somebody sent."""

    __tablename__ = "bare_reading"

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str
    member: str
    typed: str
    at: datetime


def make_table(db: Database) -> None:
    """Make the one table there is."""
    Apart.metadata.create_all(db.engine)


def bare_app(db: Database, *, secret: str) -> App:
    """A Bolt app that answers `/kpi` with one insert."""
    who = AuthorizeResult(enterprise_id=None, team_id=None, bot_token="xoxb-1", bot_id="B1", bot_user_id="U1")
    app = App(
        signing_secret=secret,
        authorize=lambda: who,
        client=WebClient(retry_handlers=[]),
        process_before_response=True,
    )

    @app.command("/kpi")
    def kpi(ack: Ack, body: dict[str, Any]) -> None:
        with db.write() as session:
            row = BareReading(
                workspace_id=body["team_id"],
                member=body["user_id"],
                typed=body["text"],
                at=datetime.now(UTC),
            )
            session.add(row)
        ack(text=f"Recorded {body['text']}.", response_type="ephemeral")

    return app


def main(url: str, port: str, secret: str) -> None:
    """Serve until the process is ended."""
    db = Database(url, connections=THREADS + 2)
    make_table(db)
    handler = SlackRequestHandler(bare_app(db, secret=secret))
    with serving(handler, host="127.0.0.1", port=int(port), threads=THREADS):
        Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
