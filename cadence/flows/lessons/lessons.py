"""Lessons: logged by anybody in a team, stored with the version, shown to the next team."""

from dataclasses import dataclass

from cadence.flows.core import (
    AdoptionView,
    adoption_views,
    once,
    require_owner_or_curator,
    require_playbook,
    require_team,
    require_workspace,
    rewrite_cycle_posts,
    visible_adoptions,
)
from cadence.mrkdwn import say
from cadence.refusals import Offer, Refusal
from storage.queries import lessons, people, playbooks
from storage.tables import Lesson, Playbook
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.lessons import LearnForm
from templates.ids import Action

LONGEST = 1_000
"""Maximum characters of a lesson."""


@dataclass(frozen=True, slots=True)
class LessonGiven:
    """A request to log a lesson."""

    playbook: str
    text: str
    team: str | None = None


def recent(
    uow: UnitOfWork, *, playbook_id: int, limit: int, only_of: int | None = None, but_of: int | None = None
) -> tuple[str, ...]:
    """The newest lessons of a playbook, as typed, newest first: of one adoption, or of all others."""
    rows = lessons.of_playbook(uow, playbook_id=playbook_id, limit=limit, only_of=only_of, but_of=but_of)
    return tuple(row.text for row in rows)


def of_cycle(uow: UnitOfWork, *, cycle_id: int) -> tuple[str, ...]:
    """The lessons of one cycle, as typed, oldest first."""
    rows = lessons.of_cycle(uow, cycle_id=cycle_id)
    return tuple(row.text for row in rows)


@once
def learn(uow: UnitOfWork, given: LessonGiven) -> Done:
    """Save a lesson with the version of the caller's team, and with its cycle.

    Raises:
        Refusal: no such playbook or team, an empty lesson, somebody who has no part in the playbook.
    """
    with uow.write():
        require_workspace(uow)
        playbook = require_playbook(uow, given.playbook)
        view = _run_of(uow, playbook, given.team)
        text = given.text.strip()
        if not text:
            raise Refusal("Add a sentence or two the next team should know.", field="note")
        if len(text) > LONGEST:
            raise Refusal(f"Keep it to {LONGEST:,} characters. This one has {len(text):,}.", field="note")
        _save(uow, playbook, view, text)
        return Done(
            text=say("Lesson saved. The next team that sets up {title} will see it.", title=playbook.title),
            offers=(Offer("Show the playbook", Action.SHOW_PLAYBOOK, playbook.slug),),
        )


def _run_of(uow: UnitOfWork, playbook: Playbook, team: str | None) -> AdoptionView | None:
    """The adoption of the lesson; None if it is about the whole playbook, which requires its owner or a
    curator."""
    runs = adoption_views(uow, playbook_id=playbook.id)
    mine = people.team_ids(uow, member_id=uow.actor.member)
    if team is not None:
        named = require_team(uow, team)
        runs = [view for view in runs if view.team.id == named.id]
        if not runs:
            raise Refusal(
                say("{team} doesn't run {title}.", team=named.title, title=playbook.title), field="team"
            )
    own = [view for view in runs if view.team.id in mine]
    if not own:
        require_owner_or_curator(
            uow, playbook=playbook, to=f"add a lesson to {playbook.title} from outside its teams"
        )
    candidates = own or runs
    here = [view for view in candidates if view.team.channel == uow.actor.channel]
    if len(here or candidates) == 1:
        return (here or candidates)[0]
    return None


def _save(uow: UnitOfWork, playbook: Playbook, view: AdoptionView | None, text: str) -> None:
    version = view.version if view else playbooks.newest_version(uow, playbook_id=playbook.id or 0)
    assert version is not None  # noqa: S101 - imported with its playbook
    cycle = view.cycle if view and view.cycle and view.cycle.starts_on <= view.today else None
    row = Lesson(
        workspace_id=uow.actor.workspace_id,
        playbook_id=playbook.id or 0,
        version_id=version.id or 0,
        adoption_id=view.id if view else None,
        cycle_id=cycle.id if cycle else None,
        text=text,
        member=uow.actor.member,
        surface=uow.actor.surface,
        source=uow.actor.request,
        learned_at=uow.now,
    )
    uow.session.add(row)
    uow.session.flush()
    uow.record(
        action="lesson-learned",
        subject=f"playbook:{playbook.slug}",
        after={"lesson": row.id, "text": text, "adoption": row.adoption_id, "cycle": row.cycle_id},
    )
    if view is not None and cycle is not None:
        rewrite_cycle_posts(uow, view, cycle, mark=f"lesson:{row.id}")


def learn_form(uow: UnitOfWork, *, playbook: str | None, text: str = "") -> LearnForm:
    """The form for a lesson, prefilled; the person's own playbooks come first.

    Raises:
        Refusal: there is no playbook.
    """
    with uow.read():
        require_workspace(uow)
        rows = playbooks.playbooks(uow)
        if not rows:
            raise Refusal("There are no playbooks yet. Add the first one with `/cadence playbook new`.")
        mine = {view.playbook.slug for view in visible_adoptions(uow)}
        mine |= {row.slug for row in rows if row.owner == uow.actor.member}
        ordered = sorted(rows, key=lambda row: (row.slug not in mine, row.slug))
        only = next(iter(mine)) if len(mine) == 1 else None
        return LearnForm(
            playbooks=tuple(Choice(label=row.title, value=row.slug) for row in ordered),
            playbook=playbook or only,
            note=text,
        )
