"""The gates of a cycle as the bot sees them in its own data, and how each thing they ask for is called."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlmodel import Session

from cadence.flows.champions import champion_here
from cadence.flows.readiness import package_gaps
from cadence.flows.runs import TeamRun, current_modes
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer
from cadence.rules.calendar import WEEKS, week_number
from cadence.rules.gates import Check, Doer, Gate, Item, week_four, week_one, week_three, week_two
from cadence.rules.kpi import READINGS_NEEDED
from storage import cycles, reports, rubrics
from storage.tables import Cycle
from templates.contexts.gates import GateCheck
from templates.contexts.playbooks import GateLine
from templates.ids import Action

TASKS: Final[Mapping[int, str]] = {
    1: "pick the workflow, set the one KPI, publish the mode map",
    2: "run it and capture the rubric",
    3: "iterate, harden and package it for reuse",
    4: "scale to the next team and record the deltas",
}
"""What a team does in each week (SPEC §3)."""
_NAMES: Final[Mapping[Item, str]] = {
    Item.BASELINE: "the KPI's baseline",
    Item.TARGET: "the KPI's target",
    Item.MODE_MAP: "the mode map",
    Item.OWNER: "an owner",
    Item.CHAMPION: "a champion",
    Item.RUN: "a run attested in a check-in",
    Item.RUBRIC_RESULT: "a rubric result",
    Item.PACKAGE: "the package complete",
    Item.EXCEPTION_REASONS: "a reason for every exception",
    Item.NEXT_TEAM: "the next team, or why there is none",
    Item.DELTAS: "weekly numbers for the delta",
    Item.SUBMITTED: "the submission to the registry",
}


def gate_of(session: Session, run: TeamRun, cycle: Cycle, week: int) -> Gate:
    """The gate of one week, 1 to 4. `run.spec` is what the cycle runs on."""
    workspace_id, cycle_id = run.workspace.id, cycle.id or 0
    if week == 1:
        declared = current_modes(session, run)
        return week_one(
            baseline=run.spec.kpi.baseline,
            target=run.spec.kpi.target,
            mode_map_published=all(step.key in declared for step in run.spec.steps),
            owner=run.playbook.owner,
            champion=champion_here(session, run),
        )
    if week == 2:
        return week_two(
            attested_runs=cycles.attested_runs(session, workspace_id=workspace_id, cycle_id=cycle_id),
            rubric_results=len(
                rubrics.results_of_cycle(session, workspace_id=workspace_id, cycle_id=cycle_id)
            ),
        )
    if week == 3:
        reasons = cycles.exception_reasons(session, workspace_id=workspace_id, cycle_id=cycle_id)
        return week_three(
            package_gaps=package_gaps(session, run),
            exceptions_without_reason=sum(not reason.strip() for reason in reasons),
        )
    return week_four(
        next_team=next_team(session, run, cycle),
        reason_for_none=cycle.no_next_team,
        readings=len(reports.readings(session, workspace_id=workspace_id, cycle_id=cycle_id)),
        submitted=cycle.submitted_at is not None,
    )


def gates_of(session: Session, run: TeamRun, cycle: Cycle) -> tuple[Gate, ...]:
    """All four gates of a cycle."""
    return tuple(gate_of(session, run, cycle, week) for week in range(1, WEEKS + 1))


def gates_due(session: Session, run: TeamRun, cycle: Cycle) -> tuple[Gate, ...]:
    """The gates of a cycle's weeks up to now: what its posts speak of."""
    return tuple(gate_of(session, run, cycle, week) for week in range(1, (run.week or WEEKS) + 1))


def next_team(session: Session, run: TeamRun, cycle: Cycle) -> str | None:
    """The team that is next: the one named, else another that took the playbook up since the cycle started."""
    if cycle.next_team_id is not None:
        named = cycles.team(session, workspace_id=run.workspace.id, team_id=cycle.next_team_id)
        return named.title if named else None
    joined = cycles.joined_since(
        session,
        workspace_id=run.workspace.id,
        playbook_id=run.adoption.playbook_id,
        team_id=run.adoption.team_id,
        since=cycle.started_at,
    )
    return joined.title if joined else None


def words(check: Check) -> str:
    """What a check asks for, with the count or the parts that say how it stands."""
    name = _NAMES[check.item]
    if check.item is Item.PACKAGE and check.details:
        return f"{name} (it lacks {', '.join(check.details)})"
    if check.item is Item.DELTAS:
        return f"{name} ({check.count} of at least {READINGS_NEEDED})"
    return name


def gate_line(gate: Gate, *, week: int | None) -> GateLine:
    """A gate in one line; it isn't due before its week (`week` None: the cycle is over)."""
    due = week is None or gate.week <= week
    text = "; ".join(words(check) for check in gate.checks)
    if due and not gate.met:
        text = f"missing: {'; '.join(words(check) for check in gate.missing)}"
    return GateLine(week=gate.week, text=text, met=gate.met if due else None)


def gate_lines(session: Session, run: TeamRun, cycle: Cycle) -> tuple[GateLine, ...]:
    """The four gates as `/cadence cycle show` lists them."""
    week = None if cycle.result is not None else week_number(cycle.starts_on, run.today) or 0
    return tuple(gate_line(gate, week=week) for gate in gates_of(session, run, cycle))


def gate_checks(gate: Gate, *, owner: str) -> tuple[GateCheck, ...]:
    """A gate's checks for a message, each missing one with who can do it."""
    return tuple(
        GateCheck(text=words(check), met=check.met, who=_who(check, owner=owner)) for check in gate.checks
    )


def _who(check: Check, *, owner: str) -> Mrkdwn:
    if check.met:
        return Mrkdwn("")
    if check.item is Item.DELTAS:
        return Mrkdwn("whoever reports the KPI")
    if check.doer is Doer.MEMBER:
        return Mrkdwn("anybody in the team")
    return say("{owner} or a curator", owner=mention(owner))


def gate_offers(
    run: TeamRun, cycle: Cycle, missing: tuple[Check, ...], week_start: date
) -> tuple[Offer, ...]:
    """A button for each thing missing, in the gate's order; each once, five at most."""
    offers = {}
    for check in missing:
        offer = _offer(check.item, run, cycle, week_start)
        offers[offer.action] = offer
    return tuple(offers.values())[:5]


def _offer(item: Item, run: TeamRun, cycle: Cycle, week_start: date) -> Offer:
    week = f"{run.id}:{week_start}"
    match item:
        case Item.RUN:
            return Offer("Check in", Action.RAN_AS_DECLARED, week)
        case Item.RUBRIC_RESULT:
            return Offer("Record a rubric result", Action.RUBRIC_RECORD, str(run.id))
        case Item.PACKAGE:
            return Offer("Complete the playbook", Action.EDIT_PLAYBOOK, run.playbook.slug)
        case Item.NEXT_TEAM:
            return Offer("Name the next team", Action.NEXT_TEAM, f"{run.id}:{cycle.id}")
        case Item.DELTAS:
            return Offer("Report the number", Action.REPORT_KPI, week)
        case Item.SUBMITTED:
            return Offer("Submit to the registry", Action.SUBMIT, f"{run.id}:{cycle.id}")
        case Item.EXCEPTION_REASONS:
            return Offer("See the week", Action.SHOW_STATUS, run.playbook.slug)
        case _:
            return Offer("Show the playbook", Action.SHOW_PLAYBOOK, run.playbook.slug)


def missed_before(session: Session, run: TeamRun, cycle: Cycle, week: int) -> tuple[Check, ...]:
    """What the gates of the weeks before still lack."""
    return tuple(
        check for earlier in range(1, week) for check in gate_of(session, run, cycle, earlier).missing
    )
