"""The trail of what happened, and exports."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Choice, Id, MessageContext
from templates.ids import Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRow:
    """One entry of the trail.

    Args:
        at: in the reader's zone.
        member: Slack ID; None if the bot acted on its own.
        surface: the origin: `command`, `button`, `form`, `the rule`, `the clock`.
        what: the action, and `about` its subject.
        was: the value before, in words; empty if there was none.
        became: the value since.
    """

    at: datetime
    member: str | None
    surface: str
    what: str
    about: str
    was: str = ""
    became: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace(MessageContext):
    """A page of the trail, newest first; ten entries at most are shown.

    Args:
        playbook: its title, if only its entries were requested; likewise `step` and `since`.
        older: the value of [Older]; None on the last page.
        undo: the value of [Undo]: the reader's last exception, while it can be undone.
    """

    TEMPLATE: ClassVar[str] = "answers/history/trace.json.j2"

    rows: tuple[TraceRow, ...]
    playbook: str | None = None
    step: str | None = None
    since: date | None = None
    older: str | None = None
    undo: Id | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportForm(
    PlainForm,
    callback=Callback.EXPORT,
    title="Export",
    submit="Export",
    intro=(
        "You'll get a ZIP file in a DM: KPI readings, check-ins, exceptions, verdicts and the trail as CSV, "
        "playbooks as YAML. It names people, so store it safely."
    ),
):
    """What to export: a slug, or `*` for all. At least one playbook."""

    ALL: ClassVar[str] = "*"

    playbooks: tuple[Choice, ...]
    curator: bool = False
    selected: str | None = ask.choice(
        "What to export",
        among="everything",
        first=True,
        name=Field.PLAYBOOK,
        needed="Choose what to export.",
        cut="Showing the first 99. For any other, type `/cadence export` with the playbook's name.",
    )

    @property
    def everything(self) -> tuple[Choice, ...]:
        """All, then each playbook."""
        label = "Everything in this workspace" if self.curator else "All my playbooks"
        return (Choice(label=label, value=self.ALL), *self.playbooks)
