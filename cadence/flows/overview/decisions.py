"""What waits for an owner's or a curator's decision: what the digest collects, with every button that settles it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from cadence.flows.adoption import standing
from cadence.flows.core import TeamRun, today_in
from cadence.flows.gates import gate_line, gate_of, gate_offers
from cadence.flows.overview.attention import Attention, demoted, undelivered_first
from cadence.flows.overview.digest_needs import idle_playbooks
from cadence.flows.overview.digest_notes import drifts_waiting, promotions_waiting, tell_drift, title_of
from cadence.flows.overview.digest_scope import KEPT, DigestWeek, Scope, Worst, scope_of
from cadence.flows.overview.watches import watches_of
from cadence.flows.setup import checklist
from cadence.flows.standards import see_drift
from cadence.mrkdwn import channel_link, code, escape, say
from cadence.refusals import Offer
from cadence.rules.calendar import monday_of
from cadence.rules.modes import LADDER
from storage.queries import adoptions, playbooks, rubrics
from storage.tables import AdoptionState, CycleState, PlaybookState, Promotion, Setup, StepDrift, Workspace
from storage.work import UnitOfWork
from templates.contexts.digests import Decision
from templates.contexts.home import HomeNeed
from templates.filters import mode as mode_word
from templates.filters import plural
from templates.ids import Action

GATE_FROM = 3
"""The weekday (Thursday) from which a gate that isn't met waits for the owner."""
GATES = 20
"""Runs of an owner whose gates are looked at."""

Need = Callable[[], HomeNeed]
"""Something that waits, put into words only when its page is looked at."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What waits; `more` of it isn't listed."""

    listed: tuple[Need, ...] = ()
    more: int = 0


def needs(uow: UnitOfWork, workspace: Workspace, mine: Sequence[TeamRun], *, curator: bool) -> Needs:
    """What waits for the caller, decisions first: a curator's of all runs, an owner's of those they own.

    What a digest counts over all adoptions is counted here; of each kind the first are listed.
    """
    own = _owned(uow)
    if not own and not curator:
        return Needs()
    owned = [run for run in mine if run.playbook.owner == uow.actor.member]
    week = DigestWeek(monday_of(today_in(workspace, uow.now)), ZoneInfo(workspace.timezone))
    only = None if curator else [run.id for run in owned]
    scope = scope_of(uow, workspace, week, only=only)
    scope.loaded.update((run.id, run) for run in owned)
    channels, stuck = undelivered_first(scope, KEPT) if curator else ([], 0)
    idle = [one for one in idle_playbooks(scope) if curator or not _of_another(one, own)]
    sections: tuple[Worst[Any], ...] = (
        promotions_waiting(scope, partial(_promotion, curator=curator)),
        demoted(scope),
        drifts_waiting(scope, partial(_drift, uow), alone_in={run.id for run in owned}),
        watches_of(scope).unanswered,
        scope.unreported,
    )
    promotions, *others = (_listed(scope, section) for section in sections)
    listed: list[Need] = [
        *promotions,
        *(partial(_need, one) for one in channels),
        *_audits(uow, owned),
        *(need for section in others for need in section),
        *(partial(_need, one) for one in idle[:KEPT]),
        *(need for run in owned for need in _setup(uow, run)),
        *_gates(uow, owned),
    ]
    counted = stuck + len(idle) + sum(section.count for section in sections)
    kept = len(channels) + len(idle[:KEPT]) + len(promotions) + sum(map(len, others))
    if counted == kept:
        return Needs(tuple(listed))
    return Needs((*listed, partial(_more, counted - kept)), counted - kept - 1)


def _listed(scope: Scope, section: Worst[Any]) -> list[Need]:
    """The first entries of a section, each loaded when it is looked at."""
    return [partial(_told, scope, adoption, tell) for adoption, tell in section.first()]


def _told(
    scope: Scope, adoption: int, tell: Callable[[TeamRun], HomeNeed | Decision | Attention]
) -> HomeNeed:
    told = tell(scope.load([adoption])[adoption])
    return told if isinstance(told, HomeNeed) else _need(told)


def _need(decision: Decision | Attention) -> HomeNeed:
    more = decision.more if isinstance(decision, Attention) else ()
    return HomeNeed(
        text=escape(decision.text), offers=(*((decision.offer,) if decision.offer else ()), *more)
    )


def _more(count: int) -> HomeNeed:
    return HomeNeed(
        text=say("… and {more} more that {command} knows of", more=count, command=code("/cadence digest"))
    )


def _owned(uow: UnitOfWork) -> set[str]:
    """The slugs of the playbooks the caller owns."""
    rows = playbooks.playbooks(uow)
    return {playbook.slug for playbook in rows if playbook.owner == uow.actor.member}


def _of_another(decision: Decision, own: set[str]) -> bool:
    """Whether it is about starting a playbook that isn't the owner's."""
    offer = decision.offer
    return offer is not None and offer.action == Action.START_CYCLE and offer.value not in own


def _promotion(run: TeamRun, row: Promotion, *, curator: bool) -> HomeNeed:
    """A promotion to be decided: only a curator may approve one to AI-led."""
    may = curator or row.leads_to is not LADDER[-1]
    decide = (
        Offer("Approve", Action.APPROVE_PROMOTION, str(row.id)),
        Offer("Decline", Action.DECLINE_PROMOTION, str(row.id)),
    )
    return HomeNeed(
        text=say(
            "*{step}* of {playbook} ({team}) could go from {before} to {after}: {passes} of {samples} passed{who}",
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


def _drift(uow: UnitOfWork, run: TeamRun, row: StepDrift) -> HomeNeed:
    """A drift that waits: as it was found, as it stands with the answers since, and both ways to settle it."""
    now = ""
    if run.cycle is not None and run.cycle.id == row.cycle_id:
        seen = see_drift(uow, run, run.cycle, run.step(row.step)).verdict
        if seen.attested > int(row.evidence["attested"]):
            now = say(
                "; by now {drifted} of {attestations}",
                drifted=seen.drifted,
                attestations=plural(seen.attested, "attestation"),
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


def champion_needs(uow: UnitOfWork, mine: Sequence[TeamRun]) -> Iterator[Need]:
    """The setups that the caller is the champion of, until they are done."""
    for run in mine:
        if run.adoption.champion != uow.actor.member or not _in_use(run):
            continue
        row = adoptions.of_adoption(uow, adoption_id=run.id)
        if run.cycle is None and (row is None or row.done_at is None):
            yield partial(_to_set_up, uow, run, row)


def _in_use(run: TeamRun) -> bool:
    return run.adoption.state is AdoptionState.ACTIVE and run.playbook.state is not PlaybookState.RETIRED


def _to_set_up(uow: UnitOfWork, run: TeamRun, row: Setup | None) -> HomeNeed:
    """A setup to begin, or how many items of its checklist are left."""
    begin = Offer("Start setup", Action.START_SETUP, str(run.id))
    items = len(run.spec.checklist)
    left = plural(items, "item")
    if row is not None:
        items = len(checklist(uow, row))
        ticked = len(adoptions.ticks(uow, setup_id=row.id or 0))
        begin = Offer("Setup done", Action.SETUP_DONE, str(run.id))
        left = f"{ticked} of {plural(items, 'item')} done"
    return HomeNeed(
        text=say(
            "Set up *{playbook}* in {team}: {left}. The checklist is in {channel}",
            playbook=run.playbook.title,
            team=run.team.title,
            left=left,
            channel=channel_link(run.team.channel),
        ),
        offers=(begin, Offer("Show the playbook", Action.SHOW_PLAYBOOK, run.playbook.slug)),
    )


def _audits(uow: UnitOfWork, runs: Sequence[TeamRun]) -> Iterator[Need]:
    """Runs drawn this week that nobody has graded yet."""
    by_id = {run.id: run for run in runs}
    if not by_id:
        return
    drawn: Counter[int] = Counter()
    for adoption, week, count in rubrics.ungraded(
        uow, adoption_ids=sorted(by_id), since=min(run.week_start for run in runs)
    ):
        if week == by_id[adoption].week_start:
            drawn[adoption] += count
    for adoption, count in drawn.items():
        yield partial(_audit, by_id[adoption], count)


def _audit(run: TeamRun, count: int) -> HomeNeed:
    return HomeNeed(
        text=say(
            "{runs} of {playbook} ({team}), drawn at random, {wait} to be graded",
            runs=plural(count, "run"),
            playbook=run.playbook.title,
            team=run.team.title,
            wait="waits" if count == 1 else "wait",
        ),
        offers=(Offer("Grade them", Action.GRADE_AUDIT, f"{run.id}:{run.week_start}"),),
    )


def _setup(uow: UnitOfWork, run: TeamRun) -> Iterator[Need]:
    """A team that has taken it up and hasn't begun its first cycle."""
    if run.cycle is None and _in_use(run):
        yield partial(_setting_up, uow, run)


def _setting_up(uow: UnitOfWork, run: TeamRun) -> HomeNeed:
    stands = standing(uow, run)
    return HomeNeed(
        text=say(
            "{playbook} in {team}: {stands}",
            playbook=run.playbook.title,
            team=run.team.title,
            stands=stands[0] if stands else "no cycle yet",
        ),
        offers=(Offer("Start the first cycle", Action.START_CYCLE, f"{run.playbook.slug}:{run.team.slug}"),),
    )


def _gates(uow: UnitOfWork, runs: Sequence[TeamRun]) -> Iterator[Need]:
    """This week's gates, late in the week, where something is missing; of many runs the first are looked at."""
    due = [run for run in runs if _has_gate(run)]
    for run in due[:GATES]:
        yield from _gate(uow, run)
    if len(due) > GATES:
        yield partial(_other_gates, len(due) - GATES)


def _other_gates(count: int) -> HomeNeed:
    return HomeNeed(
        text=say(
            "{runs} of yours have a gate this week, too: {command} with a team's name shows it",
            runs=plural(count, "more run"),
            command=code("/cadence status team="),
        )
    )


def _has_gate(run: TeamRun) -> bool:
    return (
        run.cycle is not None
        and run.week is not None
        and run.cycle.state is CycleState.RUNNING
        and run.adoption.state is AdoptionState.ACTIVE
        and run.today.weekday() >= GATE_FROM
    )


def _gate(uow: UnitOfWork, run: TeamRun) -> Iterator[Need]:
    cycle, week = run.cycle, run.week
    if cycle is None or week is None:
        return
    gate = gate_of(uow, run, cycle, week)
    if not gate.met:
        need = HomeNeed(
            text=say(
                "Gate of week {week}, {playbook} ({team}): {lacks}",
                week=week,
                playbook=run.playbook.title,
                team=run.team.title,
                lacks=gate_line(gate, week=week).text,
            ),
            offers=gate_offers(run, cycle, gate.missing, run.week_start),
        )
        yield lambda: need
