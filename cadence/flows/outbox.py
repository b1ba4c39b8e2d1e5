"""The worker's side of the ledger: each step of sending a message is a short transaction of its own."""

from datetime import datetime

from cadence.flows.profiles import remember_dm
from storage import ledger, people
from storage.engine import Database
from storage.tables import MessageState, OwedMessage


class Outbox:
    """Takes messages out of the ledger and writes down what became of them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def recipients(self, *, now: datetime) -> list[tuple[str, str]]:
        """(workspace, recipient) pairs that are owed a message now."""
        with self._db.read() as session:
            return ledger.due_recipients(session, now=now)

    def next(self, workspace_id: str, recipient: str, *, now: datetime) -> OwedMessage | None:
        """The message a recipient has waited for longest."""
        with self._db.read() as session:
            return ledger.oldest_due(session, workspace_id=workspace_id, recipient=recipient, now=now)

    def begin(self, message: OwedMessage, *, channel: str | None, text: str, now: datetime) -> bool:
        """Write an attempt down before it is made; False when another worker is ahead."""
        with self._db.write() as session:
            return ledger.begin_attempt(
                session,
                message_id=message.id or 0,
                attempts=message.attempts,
                now=now,
                channel=channel,
                text=text,
            )

    def finish(
        self,
        message: OwedMessage,
        state: MessageState,
        *,
        now: datetime,
        reason: str = "",
        ts: str | None = None,
        channel: str | None = None,
    ) -> None:
        """The message was sent (there, under that `ts`), skipped or has failed."""
        with self._db.write() as session:
            ledger.finish(
                session,
                message_id=message.id or 0,
                state=state,
                now=now,
                reason=reason,
                ts=ts,
                channel=channel,
            )

    def postpone(self, message: OwedMessage, *, until: datetime, reason: str) -> None:
        """Try this message again later."""
        with self._db.write() as session:
            ledger.postpone(session, message_id=message.id or 0, until=until, reason=reason)

    def hold(self, message: OwedMessage, *, until: datetime) -> None:
        """Slack asked for a pause: nothing goes to this recipient before it is over."""
        with self._db.write() as session:
            ledger.hold_recipient(
                session, workspace_id=message.workspace_id, recipient=message.recipient, until=until
            )

    def sent_timestamps(self, message: OwedMessage, *, channel: str) -> set[str]:
        """The messages of a channel that other rows account for."""
        with self._db.read() as session:
            return ledger.timestamps(session, workspace_id=message.workspace_id, channel=channel)

    def dm_channel(self, message: OwedMessage) -> str | None:
        """The DM channel of a recipient, if it is known."""
        with self._db.read() as session:
            row = people.member(session, workspace_id=message.workspace_id, member_id=message.recipient)
            return row.dm_channel if row else None

    def remember_dm(self, message: OwedMessage, *, channel: str, now: datetime) -> None:
        """Keep the DM channel of a recipient."""
        remember_dm(
            self._db,
            workspace_id=message.workspace_id,
            member=message.recipient,
            channel=channel,
            now=now,
        )
