"""Retire a playbook: running cycles finish, no new one starts, and everybody who runs it is told why."""

from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError

from cadence.flows.core import (
    MessageKind,
    adoption_views,
    announce,
    is_watch,
    once,
    require_curator,
    require_playbook,
    require_workspace,
    review_of,
    rewrite_last_closing,
    rewrite_review,
    rewrite_setup,
)
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day
from storage.queries import adoptions, cycles, playbooks, trail
from storage.tables import Adoption, CycleState, OutboxMessage, Playbook, PlaybookState, ReviewState, Team
from storage.work import UnitOfWork
from templates.contexts.base import Choice
from templates.contexts.playbooks import FinishingTeam, PlaybookRetired, RetireForm
from templates.ids import Field


@once
def retire(uow: UnitOfWork, slug: str, reason: str) -> PlaybookRetired:
    """Retire a playbook. A planned cycle that hasn't begun is deleted; running ones finish.

    Raises:
        Refusal: not a curator, no reason, retired already.
    """
    with uow.write():
        workspace = require_workspace(uow)
        playbook = require_playbook(uow, slug)
        require_curator(uow, to=f"retire {playbook.title}")
        playbook = playbooks.lock_playbook(uow, playbook_id=playbook.id or 0)
        if playbook.state is PlaybookState.RETIRED:
            raise Refusal(say("{title} is already retired.", title=playbook.title), field=Field.PLAYBOOK)
        if not reason.strip():
            raise Refusal("Say why. The teams that run it will see this.", field=Field.REASON)
        before, playbook.state = playbook.state, PlaybookState.RETIRED
        uow.session.add(playbook)
        teams = adoptions.adopters(uow, playbook_id=playbook.id or 0)
        taken_back = [cycle for one in teams for cycle in _take_back_planned(uow, *one)]
        uow.record(
            action="playbook-retired",
            subject=f"playbook:{playbook.slug}",
            before={"state": before},
            after={"state": playbook.state, "reason": reason, "cycles_taken_back": taken_back},
        )
        uow.session.flush()
        review = review_of(uow, playbook)
        if review is not None and review.state is ReviewState.ASKED:
            rewrite_review(uow, review)
        for run in adoption_views(uow, playbook_id=playbook.id):
            rewrite_last_closing(uow, run, mark=f"retired:{playbook.id}:{uow.now.timestamp()}")
            rewrite_setup(uow, run, mark=f"retired:{uow.now.timestamp()}")
        announce(
            uow,
            workspace,
            [team for _, team in teams],
            kind="playbook-retired",
            slot=f"{playbook.id}:{uow.now:%Y%m%d%H%M%S}",
            subject={"playbook": playbook.id},
        )
        return _context(uow, playbook)


def _take_back_planned(uow: UnitOfWork, adoption: Adoption, team: Team) -> list[int]:
    """Delete a cycle that hasn't begun, unless something was already reported for it."""
    adoption = adoptions.lock_adoption(uow, adoption_id=adoption.id or 0)
    today = local_day(uow.now, ZoneInfo(team.timezone))
    taken = []
    for cycle in cycles.cycles(uow, adoption_ids=[adoption.id or 0]):
        if cycle.state is not CycleState.RUNNING or cycle.starts_on <= today:
            continue
        try:
            with uow.session.begin_nested():
                uow.session.delete(cycle)
        except IntegrityError:
            continue
        taken.append(cycle.number)
    return taken


def retired(uow: UnitOfWork, message: OutboxMessage) -> PlaybookRetired:
    """The alert that a playbook was retired."""
    playbook = playbooks.by_id(uow, playbook_id=int(message.subject["playbook"]))
    return _context(uow, playbook)


def _context(uow: UnitOfWork, playbook: Playbook) -> PlaybookRetired:
    [*_, entry] = trail.entries(uow, action="playbook-retired", subject=f"playbook:{playbook.slug}")
    teams = adoptions.adopters(uow, playbook_id=playbook.id or 0)
    titles = {adoption.id: team.title for adoption, team in teams}
    rows = cycles.cycles(uow, adoption_ids=[one for one in titles if one is not None])
    return PlaybookRetired(
        slug=playbook.slug,
        title=playbook.title,
        by=entry.member or playbook.owner,
        reason=str(entry.after["reason"]),
        finishing=tuple(
            FinishingTeam(team=titles[row.adoption_id], number=row.number, closes=row.closes_on)
            for row in rows
            if row.state is CycleState.RUNNING and not is_watch(row)
        ),
    )


def retire_form(uow: UnitOfWork, *, playbook: str | None) -> RetireForm:
    """The form to retire a playbook, for curators.

    Raises:
        Refusal: not a curator, or nothing to retire.
    """
    with uow.read():
        require_workspace(uow)
        require_curator(uow, to="retire a playbook")
        rows = [row for row in playbooks.playbooks(uow) if row.state is not PlaybookState.RETIRED]
        if not rows:
            raise Refusal("There are no playbooks to retire.")
        return RetireForm(
            playbooks=tuple(Choice(label=row.title, value=row.slug) for row in rows),
            playbook=playbook or (rows[0].slug if len(rows) == 1 else None),
        )


RETIRED = MessageKind("playbook-retired", retired)
