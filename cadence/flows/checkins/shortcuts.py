"""What a shortcut opens: a form with what the place it was chosen in already tells."""

from dataclasses import dataclass
from datetime import date, timedelta

from cadence.flows.checkins.choosing import open_runs
from cadence.flows.checkins.rows import member_runs
from cadence.flows.core import ASKED_UNTIL, TeamRun, message_link, named, require_workspace, zone_of
from cadence.flows.exceptions import exception_form
from cadence.mrkdwn import plain_text
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day, monday_of
from storage.work import UnitOfWork
from templates.contexts.base import Choice
from templates.contexts.forms import ChooseCheckinForm, ExceptionForm

LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True)
class MessageSeen:
    """The message a shortcut was chosen on, as Slack sends it.

    Args:
        channel_name: `directmessage` and `mpdm-…` stand for conversations without a channel.
        author: the member who wrote it, or the app's.
        text: as Slack writes it: escaped, with mentions as IDs.
    """

    channel: str
    channel_name: str
    ts: str
    author: str
    text: str
    thread_ts: str | None = None

    @property
    def is_direct(self) -> bool:
        """Whether only the people of a conversation can open it."""
        return self.channel.startswith("D") or self.channel_name.startswith(("directmessage", "mpdm-"))


def exception_from(uow: UnitOfWork, seen: MessageSeen) -> ExceptionForm:
    """The form to log a message as an exception: its link is the evidence, its words are the reason offered.

    Raises:
        Refusal: the bot wrote it, nobody else could open it, or there is no step to choose.
    """
    with uow.read():
        workspace = require_workspace(uow)
        settings = workspace.settings
    if seen.author and seen.author == settings.get("bot"):
        raise Refusal(
            "I wrote that message myself. Use this on the message that shows what went wrong, "
            "or log it without one: `/exception`."
        )
    if seen.is_direct:
        raise Refusal(
            "Nobody outside this conversation could open a link to that message, so it can't be kept as "
            "evidence. `/exception` logs what happened without it."
        )
    link = message_link(
        settings, workspace_id=workspace.id, channel=seen.channel, ts=seen.ts, thread_ts=seen.thread_ts
    )
    if link is None:
        raise Refusal("That message can't be linked to. `/exception` logs what happened without it.")
    words = named(uow, plain_text(seen.text))
    return exception_form(uow, reason=_short(words), link=link, channel_first=seen.channel or None)


def _short(words: str) -> str:
    words = words.strip()
    return words if len(words) <= LONGEST_REASON else f"{words[: LONGEST_REASON - 1].rstrip()}…"


def choose_checkin_form(uow: UnitOfWork) -> ChooseCheckinForm:
    """Asks which check-in is to be answered; with one choice there is nothing to ask.

    Open ones come alone; when all are answered, those that can be changed. Early in a week last week's are
    among them while they are missing.

    Raises:
        Refusal: there is none.
    """
    with uow.read():
        workspace = require_workspace(uow)
        today = local_day(uow.now, zone_of(uow, workspace, uow.actor.member))
        week = monday_of(today)
        before = week - timedelta(weeks=1) if today.weekday() <= ASKED_UNTIL else None
        late = open_runs(uow, week_start=before) if before else []
        still = open_runs(uow, week_start=week)
        found = [_choice(run, before, "last week") for run in late if before]
        if len(still) > 1:
            label = f"{'Both' if len(still) == 2 else f'All {len(still)}'} of this week ran as declared"
            found.append(Choice(label=label, value=f"{ChooseCheckinForm.ALL}:{week}"))
        found += [_choice(run, week, "this week") for run in still]
        if not found:
            answered = member_runs(uow, member=uow.actor.member, week_start=week)
            found = [_choice(run, week, "answered") for run in answered]
    if not found:
        raise Refusal(
            "No check-in waits for you: you are in no team with a running cycle. "
            "`/cadence status` shows what runs, and `/cadence team join` puts you in a team."
        )
    return ChooseCheckinForm(choices=tuple(found))


def _choice(run: TeamRun, week: date, state: str) -> Choice:
    return Choice(label=f"{run.playbook.title} · {run.team.title}, {state}", value=f"{run.id}:{week}")
