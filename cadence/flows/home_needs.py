"""What waits for an owner's or a curator's decision: what the digest collects, with every button that settles it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.attention import attention
from cadence.flows.callers import Caller
from cadence.flows.digest_needs import decisions_waiting
from cadence.flows.digest_notes import drifts_of, tell_drift
from cadence.flows.digest_standards import DigestWeek, title_of, watched
from cadence.flows.digests import digest
from cadence.flows.drifting import see_drift
from cadence.flows.gates import gate_line, gate_of, gate_offers
from cadence.flows.runs import TeamRun, run_by_id, today_in
from cadence.flows.standing import standing
from cadence.flows.undelivered import undelivered
from cadence.mrkdwn import code, escape, say
from cadence.refusals import Offer
from cadence.rules.calendar import monday_of
from cadence.rules.modes import LADDER
from storage import playbooks, rubrics
from storage.tables import AdoptionState, CycleState, StepDrift, Workspace
from templates.contexts.digests import Decision
from templates.contexts.home import HomeNeed
from templates.filters import mode as mode_word
from templates.filters import plural, ratio
from templates.ids import Action

PROMOTIONS_SHOWN = 20
GATE_FROM = 3
"""The weekday (Thursday) from which a gate that isn't met waits for the owner."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What waits; `more` of it isn't listed."""

    listed: tuple[HomeNeed, ...] = ()
    more: int = 0


def needs_of_many(session: Session, workspace: Workspace, mine: Sequence[TeamRun], *, now: datetime) -> Needs:
    """A curator's where very many teams run something: promotions, and the first of what the digest lists."""
    week = monday_of(today_in(workspace, now))
    shown = digest(session, workspace_id=workspace.id, week_start=week, now=now)
    others = [
        one for one in shown.decisions if not (one.offer and one.offer.action == Action.APPROVE_PROMOTION)
    ]
    open_ones = rubrics.open_promotions(session, workspace_id=workspace.id)
    runs = [
        run_by_id(session, workspace_id=workspace.id, adoption_id=adoption, now=now)
        for adoption in dict.fromkeys(row.adoption_id for row in open_ones[:PROMOTIONS_SHOWN])
    ]
    listed = [*_promotions(session, workspace, runs, curator=True), *_as_needs(others)]
    more = max(0, shown.decision_count - len(listed))
    if more:
        text = say("… and {more} more that {command} knows of", more=more, command=code("/cadence digest"))
        listed.append(HomeNeed(text=text))
        more -= 1
    own = [need for run in mine for need in (*_setup(session, run, now=now), *_gate(session, run))]
    return Needs((*listed, *_audits(session, mine), *own), more)


def needs(
    session: Session,
    caller: Caller,
    workspace: Workspace,
    runs: Sequence[TeamRun],
    *,
    curator: bool,
    now: datetime,
) -> Needs:
    """What waits for the caller, decisions first: a curator's of all runs, an owner's of those they own."""
    own = _owned(session, caller)
    if not own and not curator:
        return Needs()
    mine = [run for run in runs if run.playbook.owner == caller.member]
    seen = list(runs) if curator else mine
    week = DigestWeek(monday_of(today_in(workspace, now)), ZoneInfo(workspace.timezone))
    since, until = week.at(0), week.at(1)
    found = list(_promotions(session, workspace, seen, curator=curator))
    if curator:
        found += _as_needs(undelivered(session, workspace, seen, since=since, until=until))
    found += list(_audits(session, mine))
    slipped = attention(session, seen, week_start=week.monday, since=since, until=until, now=now)
    found += [_need(one.text, one.offer) for one in slipped if one.offer]  # a closed cycle: nothing to decide
    found += [_drift(session, run, row) for run, row in drifts_of(session, seen)]
    watches = watched(session, seen, week.monday)
    found += [
        _need(one.text, one.offer)
        for one in decisions_waiting(session, workspace, seen, watches)
        if curator or not _of_another(one, own)
    ]
    found += [need for run in mine for need in (*_setup(session, run, now=now), *_gate(session, run))]
    return Needs(tuple(found))


def _owned(session: Session, caller: Caller) -> set[str]:
    """The slugs of the playbooks the caller owns."""
    rows = playbooks.playbooks(session, workspace_id=caller.workspace_id)
    return {playbook.slug for playbook in rows if playbook.owner == caller.member}


def _of_another(decision: Decision, own: set[str]) -> bool:
    """Whether it is about starting a playbook that isn't the owner's."""
    offer = decision.offer
    return offer is not None and offer.action == Action.START_CYCLE and offer.value not in own


def _need(text: str, offer: Offer | None) -> HomeNeed:
    return HomeNeed(text=escape(text), offers=(offer,) if offer else ())


def _as_needs(decisions: Sequence[Decision]) -> list[HomeNeed]:
    return [_need(one.text, one.offer) for one in decisions]


def _promotions(
    session: Session, workspace: Workspace, runs: Sequence[TeamRun], *, curator: bool
) -> Iterator[HomeNeed]:
    """Promotions to be decided: only a curator may approve one to AI-led."""
    by_id = {run.id: run for run in runs}
    for row in rubrics.open_promotions(session, workspace_id=workspace.id):
        run = by_id.get(row.adoption_id)
        if run is None:
            continue
        may = curator or row.leads_to is not LADDER[-1]
        decide = (
            Offer("Approve", Action.APPROVE_PROMOTION, str(row.id)),
            Offer("Decline", Action.DECLINE_PROMOTION, str(row.id)),
        )
        yield HomeNeed(
            text=say(
                "*{step}* of {playbook} ({team}) could go from {before} to {after}: "
                "{passes} of {samples} passed{who}",
                step=title_of(run, row.step),
                playbook=run.playbook.title,
                team=run.team.title,
                before=mode_word(row.mode),
                after=mode_word(row.leads_to or row.mode),
                passes=row.passes,
                samples=plural(row.samples, "sample"),
                who="" if may else ". A curator decides",
            ),
            offers=(*(decide if may else ()), Offer("Why", Action.WHY, f"{run.id}:{row.step}")),
        )


def _drift(session: Session, run: TeamRun, row: StepDrift) -> HomeNeed:
    """A drift that waits: as it was found, as it stands with the answers since, and both ways to settle it."""
    now = ""
    if run.cycle is not None and run.cycle.id == row.cycle_id:
        seen = see_drift(session, run, run.cycle, run.step(row.step)).verdict
        if seen.attested > int(row.evidence["attested"]):
            now = say(
                "; by now {drifted} of {attestations} ({share})",
                drifted=seen.drifted,
                attestations=plural(seen.attested, "attestation"),
                share=ratio(seen.drifted / seen.attested),
            )
    ref, used = f"{run.id}:{row.step}", row.used or row.declared
    return HomeNeed(
        text=say("{found}{now}", found=tell_drift(run, row).text, now=now),
        offers=(
            Offer(f"Declare {mode_word(used)}", Action.DECLARE_MODE, f"{ref}:{used}"),
            Offer("Recommit", Action.RECOMMIT, ref),
            Offer("Why", Action.WHY, ref),
        ),
    )


def _audits(session: Session, runs: Sequence[TeamRun]) -> Iterator[HomeNeed]:
    """Runs drawn this week that nobody has graded yet."""
    for run in runs:
        drawn = rubrics.audits_of_week(
            session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=run.week_start
        )
        waiting = [
            row
            for row in drawn
            if rubrics.result_of_audit(session, workspace_id=run.workspace.id, audit_id=row.id or 0) is None
        ]
        count = sum(len(row.drawn) for row in waiting)
        if count:
            yield HomeNeed(
                text=say(
                    "{runs} of {playbook} ({team}), drawn at random, {wait} to be graded",
                    runs=plural(count, "run"),
                    playbook=run.playbook.title,
                    team=run.team.title,
                    wait="waits" if count == 1 else "wait",
                ),
                offers=(Offer("Grade them", Action.GRADE_AUDIT, f"{run.id}:{run.week_start}"),),
            )


def _setup(session: Session, run: TeamRun, *, now: datetime) -> Iterator[HomeNeed]:
    """A team that has taken it up and hasn't begun its first cycle."""
    if run.cycle is not None or run.adoption.state is not AdoptionState.ACTIVE:
        return
    stands = standing(session, run, now=now)
    yield HomeNeed(
        text=say(
            "{playbook} in {team}: {stands}",
            playbook=run.playbook.title,
            team=run.team.title,
            stands=stands[0] if stands else "no cycle yet",
        ),
        offers=(Offer("Start the first cycle", Action.START_CYCLE, f"{run.playbook.slug}:{run.team.slug}"),),
    )


def _gate(session: Session, run: TeamRun) -> Iterator[HomeNeed]:
    """This week's gate, late in the week, while something is missing."""
    cycle, week = run.cycle, run.week
    if cycle is None or week is None or cycle.state is not CycleState.RUNNING:
        return
    if run.adoption.state is not AdoptionState.ACTIVE or run.today.weekday() < GATE_FROM:
        return
    gate = gate_of(session, run, cycle, week)
    if not gate.met:
        yield HomeNeed(
            text=say(
                "Gate of week {week}, {playbook} ({team}): {lacks}",
                week=week,
                playbook=run.playbook.title,
                team=run.team.title,
                lacks=gate_line(gate, week=week).text,
            ),
            offers=gate_offers(run, cycle, gate.missing, run.week_start),
        )
