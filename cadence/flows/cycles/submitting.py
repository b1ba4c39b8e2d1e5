"""Week 4: name the next team, or give a reason for none; submit the playbook to the registry."""

from dataclasses import dataclass

from cadence.actor import Actor
from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    adoption_by_id,
    curators_read,
    of_cycle,
    once,
    require_not_retired,
    require_owner_or_curator,
    require_team,
    rewrite_cycle_posts,
    tell,
)
from cadence.flows.gates import gates_of
from cadence.flows.playbooks import Readiness, readiness_of
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer, Refusal
from storage.queries import adoptions, cycles, people
from storage.tables import Cycle, OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.cycles import NextTeamForm, Submitted
from templates.ids import Action

GONE = "That cycle no longer exists. See the current one with `/cadence cycle show`."


@dataclass(frozen=True, slots=True)
class NextTeamGiven:
    """The next team's slug, or why no team is next; if both are given, the team counts."""

    adoption_id: int
    cycle_id: int
    team: str | None = None
    reason: str = ""


def cycle_run(uow: UnitOfWork, adoption_id: int, cycle_id: int) -> tuple[AdoptionView, Cycle]:
    """The adoption and the cycle whose ids a button carries.

    Raises:
        Refusal: one of them doesn't exist, or they don't belong together.
    """
    view = adoption_by_id(uow, adoption_id=adoption_id)
    rows = cycles.cycles_of(uow, adoption_id=view.id)
    found = next((row for row in rows if row.id == cycle_id), None)
    if found is None:
        raise Refusal(GONE)
    return of_cycle(uow, view, found), found


def next_team_form(uow: UnitOfWork, *, adoption_id: int, cycle_id: int) -> NextTeamForm:
    """The form that asks for the next team.

    Raises:
        Refusal: not the owner or a curator, or the cycle isn't there.
    """
    with uow.read():
        view, cycle = cycle_run(uow, adoption_id, cycle_id)
        require_owner_or_curator(uow, playbook=view.playbook, to="name the next team")
        teams = people.teams(uow)
        named = next((team.slug for team in teams if team.id == cycle.next_team_id), None)
        return NextTeamForm(
            playbook=view.playbook.title,
            team=view.team.title,
            number=cycle.number,
            teams=tuple(
                Choice(label=team.title, value=team.slug) for team in teams if team.id != view.team.id
            ),
            selected=named,
            reason=cycle.no_next_team,
        )


@once
def name_next_team(uow: UnitOfWork, given: NextTeamGiven) -> Done:
    """Save which team is next, or why no team is next; a second call corrects it, and the trail has both.

    Raises:
        Refusal: not the owner or a curator, neither of the two given, the team itself, no such team.
    """
    with uow.write():
        view, cycle = _locked(uow, given.adoption_id, given.cycle_id)
        require_owner_or_curator(uow, playbook=view.playbook, to="name the next team")
        team = require_team(uow, given.team) if given.team else None
        reason = "" if team else given.reason.strip()
        if team is None and not reason:
            raise Refusal("Choose a team, or note why not.", field="reason")
        if team is not None and team.id == view.team.id:
            raise Refusal(say("{team} already runs it. Choose another team.", team=team.title), field="team")
        before = {"team": cycle.next_team_id, "reason": cycle.no_next_team}
        after = {"team": team.id if team else None, "reason": reason}
        if before != after:
            cycle.next_team_id, cycle.no_next_team = team.id if team else None, reason
            uow.session.add(cycle)
            _record(uow, view, cycle, "next-team", before=before, after=after)
        if team is None:
            text = say(
                "{title} stays with {team} for now: {reason}",
                title=view.playbook.title,
                team=view.team.title,
                reason=reason,
            )
            return Done(text=text)
        return Done(
            text=say("{next} is next to adopt {title}.", next=team.title, title=view.playbook.title),
            offers=(Offer("Bring it to another team", Action.ADOPT, view.playbook.slug),),
        )


@once
def submit(uow: UnitOfWork, *, adoption_id: int, cycle_id: int) -> Done:
    """Submit the playbook to the registry with a cycle's results; once per cycle.

    Raises:
        Refusal: not the owner or a curator, the playbook is retired, or the cycle isn't there.
    """
    with uow.write():
        view, cycle = _locked(uow, adoption_id, cycle_id)
        require_owner_or_curator(uow, playbook=view.playbook, to="submit to the registry")
        require_not_retired(view.playbook)
        if cycle.submitted_at is not None:
            return Done(
                text=say(
                    "{who} already submitted {title} on {day:%-d %B}.",
                    title=view.playbook.title,
                    day=cycle.submitted_at.astimezone(view.zone),
                    who=mention(cycle.submitted_by or ""),
                )
            )
        cycle.submitted_by, cycle.submitted_at = uow.actor.member, uow.now
        uow.session.add(cycle)
        _record(uow, view, cycle, "submitted", before=None, after={"cycle": cycle.id})
        _tell_curators(uow, view, cycle)
        ready = readiness_of(uow, view.playbook)
        return Done(
            text=say(
                "{title} is submitted to the registry with cycle {number}. We've told the curators{then}",
                title=view.playbook.title,
                number=cycle.number,
                then=_after_submitting(ready),
            )
        )


def _after_submitting(ready: Readiness) -> Mrkdwn:
    if ready.version.number is not None:
        return say(
            ". v{number} is already published, and there's no newer draft.", number=ready.version.number
        )
    return _missing(ready) if ready.gaps else say(". It's ready to publish.")


def _missing(ready: Readiness) -> Mrkdwn:
    """What is left before a submitted playbook can be published, after the sentence that it is submitted."""
    lines = [say("\n• {told}", told=gap.told) for gap in ready.gaps]
    return say(".\nLeft before it can be published:{lines}", lines=Mrkdwn("".join(lines)))


def _locked(uow: UnitOfWork, adoption_id: int, cycle_id: int) -> tuple[AdoptionView, Cycle]:
    """`cycle_run`, locked until the transaction ends."""
    view, cycle = cycle_run(uow, adoption_id, cycle_id)
    adoptions.lock_adoption(uow, adoption_id=view.id)
    uow.session.refresh(cycle)
    return view, cycle


def _record(
    uow: UnitOfWork, view: AdoptionView, cycle: Cycle, action: str, *, before: object, after: object
) -> None:
    uow.record(action=action, subject=f"cycle:{cycle.id}", before=before, after=after)
    uow.session.flush()
    rewrite_cycle_posts(uow, view, cycle, mark=f"{action}:{uow.now.timestamp()}")


def _tell_curators(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> None:
    tell(
        uow,
        curators_read(uow, view.workspace),
        kind="submitted",
        slot=cycle.id,
        subject={"adoption": view.id, "cycle": cycle.id},
    )


def submitted_post(uow: UnitOfWork, message: OutboxMessage) -> Submitted:
    """The curators' post: who submitted which playbook, and the state of its cycle."""
    caller = Actor(message.workspace_id, "", "clock")
    ids = int(message.subject["adoption"]), int(message.subject["cycle"])
    view, cycle = cycle_run(uow.by(caller), *ids)
    gates = gates_of(uow, view, cycle)
    ready = readiness_of(uow, view.playbook)
    out = ready.version.number is not None
    publish = Offer("Publish", Action.PUBLISH, view.playbook.slug)
    return Submitted(
        playbook=view.playbook.title,
        team=view.team.title,
        number=cycle.number,
        by=cycle.submitted_by or "",
        result=cycle.result,
        gates_met=sum(gate.met for gate in gates),
        gates=len(gates),
        gaps=() if out else tuple(gap.told for gap in ready.gaps),
        published=ready.version.number,
        offers=(
            *(() if out or ready.gaps else (publish,)),
            Offer("Show the playbook", Action.SHOW_PLAYBOOK, view.playbook.slug),
        ),
    )


SUBMITTED = MessageKind("submitted", submitted_post)
