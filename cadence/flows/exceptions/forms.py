"""The forms of exceptions: logging one, also from a message, and the list of those that count."""

from collections.abc import Sequence
from dataclasses import dataclass

from cadence.flows.core import (
    AdoptionView,
    accepts_reports,
    adoption_by_id,
    message_link,
    named,
    require_cycle,
    require_sight,
    require_workspace,
    step_groups,
    visible_adoptions,
)
from cadence.flows.exceptions.effects import critical_effect
from cadence.flows.standards import gather
from cadence.mrkdwn import Mrkdwn, plain_text
from cadence.refusals import Refusal
from cadence.rules.sight import Fact
from storage.queries import exceptions, tokens
from storage.queries.exceptions import CycleException
from storage.work import UnitOfWork
from templates.contexts import exceptions as contexts
from templates.contexts.base import Evidence


def exception_form(
    uow: UnitOfWork,
    *,
    adoption_id: int | None = None,
    playbook: str | None = None,
    team: str | None = None,
    step: str | None = None,
    reason: str = "",
    link: str = "",
    critical: bool = False,
    channel_first: str | None = None,
    notice: Mrkdwn | None = None,
) -> contexts.ExceptionForm:
    """The form to log an exception, prefilled.

    `channel_first` is the channel whose team's steps come first; `notice` says why it needs confirmation.

    Raises:
        Refusal: there is no step to choose, or no cycle has begun that an exception would count for.
    """
    with uow.read():
        groups = step_groups(uow, channel_first=channel_first, reports=True)
        fitting = [
            (view, found)
            for view in visible_adoptions(uow)
            if (found := view.spec.step(step or ""))
            and adoption_id in (None, view.id)
            and playbook in (None, view.playbook.slug)
            and team in (None, view.team.slug)
        ]
        fitting.sort(key=lambda one: not accepts_reports(one[0]))
        if fitting:
            require_cycle(fitting[0][0])
        effect = critical_effect(uow, *fitting[0]) if fitting else ""
    return contexts.ExceptionForm(
        groups=groups,
        selected=f"{fitting[0][0].id}:{step}" if fitting else None,
        effect=effect,
        reason=reason,
        link=link,
        critical=critical,
        notice=notice,
    )


def counted_exceptions(uow: UnitOfWork, *, adoption_id: int, step: str) -> contexts.ExceptionList:
    """The exceptions that count against a step now, newest first, and earlier ones of the cycle."""
    with uow.read():
        view = adoption_by_id(uow, adoption_id=adoption_id)
        require_sight(uow, view, Fact.EXCEPTIONS)
        cycle = require_cycle(view)
        found = gather(uow, view, cycle, view.step(step))
        counted = {one.id for one in found.exceptions}
        of_cycle = exceptions.exceptions(uow, adoption_id=view.id, step=step, cycle_id=cycle.id or 0)
        return contexts.ExceptionList(
            playbook=view.playbook.title,
            team=view.team.title,
            step=view.step(step).title,
            evidence=Evidence(
                exceptions=found.evidence.exceptions,
                runs=found.evidence.runs,
                attested=found.evidence.attested,
                assumed=found.evidence.assumed,
                measured=found.evidence.measured,
                cap=view.step(step).exception_cap,
            ),
            items=_listed(uow, view, found.exceptions),
            earlier=_listed(uow, view, [one for one in of_cycle if one.id not in counted]),
        )


def _listed(
    uow: UnitOfWork, view: AdoptionView, rows: Sequence[CycleException]
) -> tuple[contexts.LoggedException, ...]:
    names = tokens.names(uow, token_ids=[one.token_id for one in rows if one.token_id])
    return tuple(
        contexts.LoggedException(
            logged_at=(one.happened_at or one.logged_at).astimezone(view.zone),
            via=names.get(one.token_id or 0, ""),
            reason=one.reason,
            critical=one.critical,
            link=one.link,
        )
        for one in reversed(rows)
    )


LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True)
class MessageSeen:
    """The message of a message shortcut, from Slack's payload.

    Args:
        channel_name: `directmessage` and `mpdm-…` mean conversations without a channel.
        author: the member who wrote it, or the app's.
        text: in Slack's format: escaped, with mentions as IDs.
    """

    channel: str
    channel_name: str
    ts: str
    author: str
    text: str
    thread_ts: str | None = None

    @property
    def is_direct(self) -> bool:
        """Whether only the participants of a conversation can open it."""
        return self.channel.startswith("D") or self.channel_name.startswith(("directmessage", "mpdm-"))


def exception_from(uow: UnitOfWork, seen: MessageSeen) -> contexts.ExceptionForm:
    """The form to log a message as an exception: its link is the evidence, its text the suggested reason.

    Raises:
        Refusal: the bot wrote it, nobody else could open it, or there is no step to choose.
    """
    with uow.read():
        workspace = require_workspace(uow)
        settings = workspace.settings
    if seen.author and seen.author == settings.get("bot"):
        raise Refusal(
            "That's one of our own messages. Use this on the message that shows what went wrong, or type "
            "`/exception`."
        )
    if seen.is_direct:
        raise Refusal(
            "People outside this conversation can't open that message. Log it without a link: `/exception`."
        )
    link = message_link(
        settings, workspace_id=workspace.id, channel=seen.channel, ts=seen.ts, thread_ts=seen.thread_ts
    )
    if link is None:
        raise Refusal("That message doesn't have a link. Log it without one: `/exception`.")
    words = named(uow, plain_text(seen.text))
    return exception_form(uow, reason=_short(words), link=link, channel_first=seen.channel or None)


def _short(words: str) -> str:
    words = words.strip()
    return words if len(words) <= LONGEST_REASON else f"{words[: LONGEST_REASON - 1].rstrip()}…"
