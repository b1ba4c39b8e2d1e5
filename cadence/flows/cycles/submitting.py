"""Week 4: name the next team, or say why there is none; submit the playbook to the registry."""

from dataclasses import dataclass

from cadence.actor import Actor
from cadence.flows.core import (
    TeamRun,
    curators_read,
    note,
    of_cycle,
    once,
    require_not_retired,
    require_owner_or_curator,
    require_team,
    rewrite_cycle_posts,
    run_by_id,
    tell,
)
from cadence.flows.gates import gates_of
from cadence.flows.playbooks import Readiness, readiness
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer, Refusal
from storage.queries import people, playbooks
from storage.tables import Cycle, OwedMessage
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.gates import NextTeamForm
from templates.ids import Action

GONE = "That cycle isn't there any more. `/cadence cycle show` shows the one that is."


@dataclass(frozen=True, slots=True)
class NextTeamGiven:
    """The next team's slug, or why there is none; of both the team counts."""

    adoption_id: int
    cycle_id: int
    team: str | None = None
    reason: str = ""


def cycle_run(uow: UnitOfWork, adoption_id: int, cycle_id: int) -> tuple[TeamRun, Cycle]:
    """The run and the cycle that a button carries the ids of.

    Raises:
        Refusal: one of them isn't there, or they don't belong together.
    """
    run = run_by_id(uow, adoption_id=adoption_id)
    rows = playbooks.cycles_of(uow, adoption_id=run.id)
    found = next((row for row in rows if row.id == cycle_id), None)
    if found is None:
        raise Refusal(GONE)
    return of_cycle(uow, run, found), found


def next_team_form(uow: UnitOfWork, *, adoption_id: int, cycle_id: int) -> NextTeamForm:
    """The form that asks for the next team.

    Raises:
        Refusal: not the owner or a curator, or the cycle isn't there.
    """
    with uow.read():
        run, cycle = cycle_run(uow, adoption_id, cycle_id)
        require_owner_or_curator(uow, owner=run.playbook.owner, to="name the next team")
        teams = people.teams(uow)
        named = next((team.slug for team in teams if team.id == cycle.next_team_id), None)
        return NextTeamForm(
            playbook=run.playbook.title,
            team=run.team.title,
            number=cycle.number,
            teams=tuple(
                Choice(label=team.title, value=team.slug) for team in teams if team.id != run.team.id
            ),
            selected=named,
            reason=cycle.no_next_team,
        )


@once
def name_next_team(uow: UnitOfWork, given: NextTeamGiven) -> Done:
    """Keep which team is next, or why there is none; again corrects it, and the trail keeps both.

    Raises:
        Refusal: not the owner or a curator, neither of the two given, the team's own name, no such team.
    """
    with uow.write():
        run, cycle = _locked(uow, given.adoption_id, given.cycle_id)
        require_owner_or_curator(uow, owner=run.playbook.owner, to="name the next team")
        team = require_team(uow, given.team) if given.team else None
        reason = "" if team else given.reason.strip()
        if team is None and not reason:
            raise Refusal("Choose a team, or say why there is none.", field="reason")
        if team is not None and team.id == run.team.id:
            raise Refusal(say("{team} runs it already. Choose another team.", team=team.title), field="team")
        before = {"team": cycle.next_team_id, "reason": cycle.no_next_team}
        after = {"team": team.id if team else None, "reason": reason}
        if before != after:
            cycle.next_team_id, cycle.no_next_team = team.id if team else None, reason
            uow.session.add(cycle)
            _record(uow, run, cycle, "next-team", before=before, after=after)
        if team is None:
            text = say(
                "{title} stays with {team} for now: {reason}",
                title=run.playbook.title,
                team=run.team.title,
                reason=reason,
            )
            return Done(text=text)
        return Done(
            text=say("{next} is next to take up {title}.", next=team.title, title=run.playbook.title),
            offers=(Offer("Adopt in another team", Action.ADOPT, run.playbook.slug),),
        )


@once
def submit(uow: UnitOfWork, *, adoption_id: int, cycle_id: int) -> Done:
    """Submit the playbook to the registry with what a cycle showed; once a cycle.

    Raises:
        Refusal: not the owner or a curator, the playbook is retired, or the cycle isn't there.
    """
    with uow.write():
        run, cycle = _locked(uow, adoption_id, cycle_id)
        require_owner_or_curator(uow, owner=run.playbook.owner, to="submit to the registry")
        require_not_retired(run.playbook)
        if cycle.submitted_at is not None:
            return Done(
                text=say(
                    "{title} was submitted on {day:%-d %B} by {who} already.",
                    title=run.playbook.title,
                    day=cycle.submitted_at.astimezone(run.zone),
                    who=mention(cycle.submitted_by or ""),
                )
            )
        cycle.submitted_by, cycle.submitted_at = uow.actor.member, uow.now
        uow.session.add(cycle)
        _record(uow, run, cycle, "submitted", before=None, after={"cycle": cycle.id})
        _tell_curators(uow, run, cycle)
        ready = readiness(uow, run.playbook)
        return Done(
            text=say(
                "{title} is submitted to the registry with cycle {number}. Curators hear of it now{then}",
                title=run.playbook.title,
                number=cycle.number,
                then=_after_submitting(ready),
            )
        )


def _after_submitting(ready: Readiness) -> Mrkdwn:
    if ready.version.number is not None:
        return say("; v{number} is published already, and no draft is open.", number=ready.version.number)
    return _missing(ready) if ready.gaps else say(", and can publish it: nothing is missing.")


def _missing(ready: Readiness) -> Mrkdwn:
    """What keeps a submitted playbook from being published, after the sentence that it is submitted."""
    lines = [say("\n• {told}", told=gap.told) for gap in ready.gaps]
    return say(".\nStill missing before it can be published:{lines}", lines=Mrkdwn("".join(lines)))


def _locked(uow: UnitOfWork, adoption_id: int, cycle_id: int) -> tuple[TeamRun, Cycle]:
    """`cycle_run`, held until the transaction ends."""
    run, cycle = cycle_run(uow, adoption_id, cycle_id)
    playbooks.lock_adoption(uow, adoption_id=run.id)
    uow.session.refresh(cycle)
    return run, cycle


def _record(
    uow: UnitOfWork, run: TeamRun, cycle: Cycle, action: str, *, before: object, after: object
) -> None:
    note(uow, action=action, subject=f"cycle:{cycle.id}", before=before, after=after)
    uow.session.flush()
    rewrite_cycle_posts(uow, run, cycle, mark=f"{action}:{uow.now.timestamp()}")


def _tell_curators(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> None:
    tell(
        uow,
        run.workspace,
        curators_read(uow, run.workspace),
        kind="submitted",
        slot=cycle.id,
        subject={"adoption": run.id, "cycle": cycle.id},
    )


def submitted_post(uow: UnitOfWork, message: OwedMessage) -> Done:
    """What curators read: who submitted which playbook, and how its cycle stands."""
    caller = Actor(message.workspace_id, "", "clock")
    ids = int(message.subject["adoption"]), int(message.subject["cycle"])
    run, cycle = cycle_run(uow.by(caller), *ids)
    gates = gates_of(uow, run, cycle)
    ready = readiness(uow, run.playbook)
    out = ready.version.number is not None
    publish = Offer("Publish", Action.PUBLISH, run.playbook.slug)
    return Done(
        text=say(
            "*{title} was submitted to the registry* by {who}, with cycle {number} of {team}: "
            "{result}, gates {met} of {all}{missing}",
            title=run.playbook.title,
            who=mention(cycle.submitted_by or ""),
            number=cycle.number,
            team=run.team.title,
            result=cycle.result or "still running",
            met=sum(gate.met for gate in gates),
            all=len(gates),
            missing="." if out else _missing(ready) if ready.gaps else ". Nothing is missing to publish it.",
        ),
        offers=(
            *(() if out or ready.gaps else (publish,)),
            Offer("Show the playbook", Action.SHOW_PLAYBOOK, run.playbook.slug),
        ),
    )
