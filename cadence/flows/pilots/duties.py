"""Who is responsible for what once a playbook runs in production: five duties, each with a name (SPEC §6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cadence.flows.core import (
    DUTY_OPEN,
    MessageKind,
    Skip,
    is_curator,
    once,
    require_curator,
    require_owner_or_curator,
    require_people,
    require_playbook,
    require_workspace,
    rewrite_digest,
)
from cadence.mrkdwn import say
from cadence.nudges import Unless
from cadence.refusals import Offer, Refusal
from storage.queries import pilots, playbooks
from storage.tables import Duty, DutyKind, OutboxMessage, Playbook, PlaybookState
from storage.work import UnitOfWork
from templates.contexts.base import Choice
from templates.contexts.pilots import (
    DUTY_TITLES,
    DUTY_WORDS,
    ChooseOwnersForm,
    DutyOpen,
    OwnersForm,
    OwnersNamed,
)
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class OwnersGiven:
    """The person for each duty of a playbook."""

    playbook: str
    members: Mapping[DutyKind, str]


def duties_of(uow: UnitOfWork, playbook_id: int) -> Mapping[DutyKind, str]:
    """The person responsible for each duty of a playbook, a Slack ID; duties without one are left out."""
    return {row.duty: row.member for row in pilots.duties(uow, playbook_id=playbook_id)}


def owners_form(uow: UnitOfWork, slug: str | None) -> OwnersForm | ChooseOwnersForm:
    """The form that names a playbook's owners; without a playbook the form to choose one, if there are several.

    Raises:
        Unknown: there is no such playbook. NotAllowed: the caller is neither its owner nor a curator. Refusal:
        there are no playbooks, or it is retired.
    """
    with uow.read():
        require_workspace(uow)
        if slug is None:
            found = _own(uow)
            if len(found) > 1:
                return ChooseOwnersForm(
                    playbooks=tuple(Choice(label=row.title, value=row.slug) for row in found)
                )
            slug = found[0].slug
        playbook = _editable(uow, slug)
        known = duties_of(uow, playbook.id or 0)
        named = {one: known.get(one, playbook.owner) for one in DutyKind}
        return OwnersForm(
            heading=playbook.title,
            slug=playbook.slug,
            rules=named[DutyKind.RULES],
            updates=named[DutyKind.UPDATES],
            exceptions=named[DutyKind.EXCEPTIONS],
            adoption=named[DutyKind.ADOPTION],
            training=named[DutyKind.TRAINING],
        )


def _own(uow: UnitOfWork) -> list[Playbook]:
    """The playbooks whose owners the caller can name."""
    rows = [row for row in playbooks.playbooks(uow) if row.state is not PlaybookState.RETIRED]
    if not rows:
        raise Refusal("There are no playbooks yet. Add the first one with `/cadence playbook new`.")
    if not is_curator(uow):
        rows = [row for row in rows if row.owner == uow.actor.member]
        if not rows:
            require_curator(uow, to="name the owners of someone else's playbook")
    return rows


def _editable(uow: UnitOfWork, slug: str, *, hold: bool = False) -> Playbook:
    playbook = require_playbook(uow, slug)
    require_owner_or_curator(uow, playbook=playbook, to=f"name the owners of {playbook.title}")
    if hold:
        playbook = playbooks.lock_playbook(uow, playbook_id=playbook.id or 0)
    if playbook.state is PlaybookState.RETIRED:
        raise Refusal(say("{title} is retired, so nobody needs to be named.", title=playbook.title))
    return playbook


@once
def name_owners(uow: UnitOfWork, given: OwnersGiven) -> OwnersNamed:
    """Save the person for each duty. A change ends the old row; a duty that stays with its person is left alone.

    Raises:
        Refusal: a person can't take part, or a duty has none. NotAllowed: the caller is neither the playbook's
        owner nor a curator.
    """
    with uow.write():
        require_workspace(uow)
        playbook = _editable(uow, given.playbook, hold=True)
        for duty in DutyKind:
            member = given.members.get(duty)
            if not member:
                raise Refusal(f"Choose who owns {DUTY_WORDS[duty]}.", field=duty)
            require_people(uow, [member], field=duty, in_team=True)
        before = duties_of(uow, playbook.id or 0)
        _save(uow, playbook, given.members)
        after = duties_of(uow, playbook.id or 0)
        if before != after:
            uow.record(
                action="duties-named",
                subject=f"playbook:{playbook.slug}",
                before={one: who for one, who in before.items() if after[one] != who} or None,
                after={one: who for one, who in after.items() if before.get(one) != who},
            )
            uow.session.flush()
            uow.rewrite(DUTY_OPEN, playbook.id, mark=f"named:{uow.now.timestamp()}")
            rewrite_digest(uow, mark=f"owners:{playbook.id}:{uow.now.timestamp()}")
        return OwnersNamed(
            slug=playbook.slug,
            title=playbook.title,
            changed=before != after,
            owners=tuple((DUTY_TITLES[one], after[one]) for one in DutyKind),
        )


def _save(uow: UnitOfWork, playbook: Playbook, members: Mapping[DutyKind, str]) -> None:
    current = {row.duty: row for row in pilots.duties(uow, playbook_id=playbook.id or 0)}
    changed = [one for one in DutyKind if one not in current or current[one].member != members[one]]
    for duty in changed:
        if duty in current:
            current[duty].ended_at = uow.now
            uow.session.add(current[duty])
    uow.session.flush()
    for duty in changed:
        uow.session.add(
            Duty(
                workspace_id=playbook.workspace_id,
                playbook_id=playbook.id or 0,
                duty=duty,
                member=members[duty],
                named_by=uow.actor.member,
                named_at=uow.now,
            )
        )
    uow.session.flush()


def duty_open(uow: UnitOfWork, message: OutboxMessage) -> DutyOpen | Skip:
    """The request to name somebody in place of a person who left; not sent once that is done."""
    shown = duty_open_now(uow, message)
    return shown if shown.duties else Skip(Unless.DECIDED)


def duty_open_now(uow: UnitOfWork, message: OutboxMessage) -> DutyOpen:
    """The request, with the duties that are still open."""
    playbook = playbooks.by_id(uow, playbook_id=int(message.subject["playbook"]))
    member = str(message.subject["member"])
    held = duties_of(uow, playbook.id or 0)
    open_ = tuple(DUTY_WORDS[one] for one in DutyKind if held.get(one) == member)
    if playbook.state is PlaybookState.RETIRED:
        open_ = ()
    return DutyOpen(
        title=playbook.title,
        member=member,
        duties=open_,
        offers=(Offer("Name owners", Action.NAME_OWNERS, playbook.slug),) if open_ else (),
    )


DUTIES: Final = (MessageKind(DUTY_OPEN, duty_open, rewrite=duty_open_now, unless=(Unless.DECIDED,)),)
