"""Pending decisions of an owner or a curator: what the digest collects, with every button."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from cadence.flows.adoption import standing
from cadence.flows.core import AdoptionView, today_in
from cadence.flows.cutover import waits_for_assessment
from cadence.flows.gates import gate_of, gate_offers
from cadence.flows.gates import words as gate_words
from cadence.flows.overview.attention import Attention, demoted, undelivered_first
from cadence.flows.overview.digest_needs import cutovers_waiting, idle_playbooks
from cadence.flows.overview.digest_notes import (
    drifts_waiting,
    promotion_words,
    promotions_waiting,
    tell_drift,
)
from cadence.flows.overview.digest_scope import KEPT, DigestWeek, Scope, TopN, scope_of
from cadence.flows.overview.watches import watches_of
from cadence.flows.pilots import pilot_needs
from cadence.flows.setup import checklist
from cadence.flows.standards import see_drift
from cadence.flows.training import (
    ChampionTraining,
    next_after_setup,
    next_offers,
    unfinished,
    waits_for_training,
)
from cadence.flows.waves import waves_to_open, waves_to_plan
from cadence.mrkdwn import channel_link, code, escape, mention, say
from cadence.refusals import Offer
from cadence.rules.calendar import monday_of
from cadence.rules.modes import LADDER, Mode
from cadence.rules.training import Lacking
from storage.queries import playbooks, rubrics, setup
from storage.tables import AdoptionState, CycleState, PlaybookState, Promotion, Setup, StepDrift, Workspace
from storage.work import UnitOfWork
from templates.contexts.overview.digests import Decision
from templates.contexts.overview.home import HomeNeed
from templates.filters import mode as mode_word
from templates.filters import plural
from templates.ids import Action

GATE_FROM = 3
"""The weekday (Thursday) from which an unmet gate is listed for the owner."""
GATES = 20
"""Maximum number of an owner's adoptions whose gates are evaluated."""

Need = Callable[[], HomeNeed]
"""A pending item, put into words only when its page is shown."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Pending items; `more` of them aren't listed.

    Those `of_owners` wait for somebody else; a curator can settle them as well. Those `of_curators` are an owner's,
    and only a curator can decide them.
    """

    listed: tuple[Need, ...] = ()
    more: int = 0
    of_owners: tuple[Need, ...] = ()
    of_curators: tuple[Need, ...] = ()


def needs(uow: UnitOfWork, workspace: Workspace, mine: Sequence[AdoptionView], *, curator: bool) -> Needs:
    """The caller's pending decisions first: a curator's of all adoptions, an owner's of those they own; then what
    a curator sees waiting for owners.

    The counts are those of a digest over all adoptions; of each kind the first are listed.
    """
    own = _owned(uow)
    if not own and not curator:
        return Needs()
    moving = [*(waves_to_open(uow) if curator else ()), *(waves_to_plan(uow) if own else ())]
    owned = [view for view in mine if view.playbook.owner == uow.actor.member]
    week = DigestWeek(monday_of(today_in(workspace, uow.now)), ZoneInfo(workspace.timezone))
    only = None if curator else [view.id for view in owned]
    scope = scope_of(uow, workspace, week, only=only)
    scope.loaded.update((view.id, view) for view in owned)
    channels, stuck = undelivered_first(scope, KEPT) if curator else ([], 0)
    idle = [(one, one.who == uow.actor.member) for one in idle_playbooks(scope)]
    own_ids = {view.id for view in owned}
    decided: tuple[TopN[Any], ...] = (
        promotions_waiting(scope, _promotion, only=partial(_can_decide, curator=curator)),
        demoted(scope),
        scope.unreported,
    )
    jobs: tuple[TopN[Any], ...] = (
        drifts_waiting(scope, partial(_drift, uow), alone_in=own_ids),
        watches_of(scope).unanswered,
    )
    promotions, rubrics, unreported = (_listed(scope, section) for section in decided)
    mine_to_do = [need for section in jobs for need in _listed(scope, section, only=own_ids)]
    waiting = pilot_needs(uow)
    own_idle = [partial(_need, one) for one, is_mine in idle if is_mine][:KEPT]
    listed: list[Need] = [
        *promotions,
        *(partial(_as_told, one) for one in waiting[:KEPT]),
        *(partial(_need, one) for one in channels),
        *(partial(_need, one) for one in moving),
        *(partial(_need, one) for one in (cutovers_waiting(uow) if curator else ())),
        *_audits(uow, owned),
        *rubrics,
        *mine_to_do,
        *unreported,
        *own_idle,
        *(partial(_to_assess, view) for view in waits_for_assessment(uow, owned)),
        *(need for view in owned for need in _setup(uow, view)),
        *_gates(uow, owned),
    ]
    counted = stuck + len(waiting) + sum(section.count for section in decided)
    counted += sum(is_mine for _, is_mine in idle)
    counted += len(mine_to_do) if curator else sum(section.count for section in jobs)
    kept = len(channels) + len(own_idle) + len(waiting[:KEPT])
    kept += len(promotions) + len(rubrics) + len(unreported) + len(mine_to_do)
    of_owners = (
        _of_owners(scope, jobs, [one for one, is_mine in idle if not is_mine], own_ids) if curator else ()
    )
    of_curators = () if curator else _of_curators(scope)
    if counted == kept:
        return Needs(tuple(listed), of_owners=of_owners, of_curators=of_curators)
    return Needs((*listed, partial(_more, counted - kept)), counted - kept - 1, of_owners, of_curators)


def _of_owners(
    scope: Scope, jobs: Sequence[TopN[Any]], idle: Sequence[Decision], own_ids: set[int]
) -> tuple[Need, ...]:
    """What waits for other owners: the first of each kind, with the owner, and how many more there are."""
    entries = [entry for section in jobs for entry in section.first()]
    found: list[Need] = [
        partial(_of_owner, scope, adoption, tell) for adoption, tell in entries if adoption not in own_ids
    ]
    own = len(entries) - len(found)
    found += [partial(_with, _need(one), one.who) for one in idle[:KEPT]]
    more = sum(section.count for section in jobs) + len(idle) - own - len(found)
    return (*found, partial(_more, more)) if more else tuple(found)


def _of_curators(scope: Scope) -> tuple[Need, ...]:
    """The promotions that only a curator can decide: the first, and how many more there are."""
    section = promotions_waiting(
        scope, _undecided, only=lambda leads_to: not _can_decide(leads_to, curator=False)
    )
    found = _listed(scope, section)
    more = section.count - len(found)
    return (*found, partial(_more, more)) if more else tuple(found)


def _of_owner(scope: Scope, adoption: int, tell: Callable[[AdoptionView], Any]) -> HomeNeed:
    return _with(_told(scope, adoption, tell), scope.load([adoption])[adoption].playbook.owner)


def _with(need: HomeNeed, who: str | None) -> HomeNeed:
    """An item with the person it waits for."""
    if who is None:
        return need
    return replace(need, text=say("{text} · {who}", text=need.text, who=mention(who)))


def _listed(scope: Scope, section: TopN[Any], *, only: set[int] | None = None) -> list[Need]:
    """The first entries of a section, each loaded when it is shown; `only` those of some adoptions."""
    return [
        partial(_told, scope, adoption, tell)
        for adoption, tell in section.first()
        if only is None or adoption in only
    ]


def _told(
    scope: Scope, adoption: int, tell: Callable[[AdoptionView], HomeNeed | Decision | Attention]
) -> HomeNeed:
    told = tell(scope.load([adoption])[adoption])
    return told if isinstance(told, HomeNeed) else _need(told)


def _need(decision: Decision | Attention) -> HomeNeed:
    return HomeNeed(
        title=decision.title,
        text=escape(decision.text),
        offers=(decision.offer,) if decision.offer else (),
    )


def _as_told(need: HomeNeed) -> HomeNeed:
    return need


def _more(count: int) -> HomeNeed:
    return HomeNeed(
        title=f"{count:,} more", text=say("See them with {command}", command=code("/cadence digest"))
    )


def _owned(uow: UnitOfWork) -> set[str]:
    """The slugs of the playbooks the caller owns."""
    return set(playbooks.owned_slugs(uow, owner=uow.actor.member))


def _can_decide(leads_to: Mode | None, *, curator: bool) -> bool:
    """Whether the caller can decide a promotion: only a curator can approve one to AI-led."""
    return curator or leads_to is not LADDER[-1]


def _promotion(view: AdoptionView, row: Promotion) -> HomeNeed:
    """A promotion that the caller can decide."""
    told = _undecided(view, row)
    decide = (
        Offer("Approve", Action.APPROVE_PROMOTION, str(row.id)),
        Offer("Decline", Action.DECLINE_PROMOTION, str(row.id)),
    )
    return replace(told, offers=(*decide, *told.offers))


def _undecided(view: AdoptionView, row: Promotion) -> HomeNeed:
    """An undecided promotion, without the buttons that decide it."""
    return HomeNeed(
        title="🟢 Ready for promotion",
        text=promotion_words(view, row),
        offers=(Offer("Why", Action.WHY, f"{view.id}:{row.step}"),),
    )


def _drift(uow: UnitOfWork, view: AdoptionView, row: StepDrift) -> HomeNeed:
    """An unsettled drift: as found, with the answers since, and both buttons."""
    now = ""
    if view.cycle is not None and view.cycle.id == row.cycle_id:
        seen = see_drift(uow, view, view.cycle, view.step(row.step)).verdict
        if seen.attested > int(row.evidence["attested"]):
            now = say(
                " · now {drifted} of {attestations}",
                drifted=seen.drifted,
                attestations=plural(seen.attested, "check-in"),
            )
    ref, used = f"{view.id}:{row.step}", row.used or row.declared
    found = tell_drift(view, row)
    return HomeNeed(
        title=found.title,
        text=say("{found}{now}", found=found.text, now=now),
        offers=(
            Offer(f"Back to {mode_word(row.declared)}", Action.BACK_TO_PLAN, ref),
            Offer(f"Switch to {mode_word(used)}", Action.DECLARE_MODE, f"{ref}:{used}"),
            Offer("Why", Action.WHY, ref),
        ),
    )


def champion_needs(uow: UnitOfWork, mine: Sequence[AdoptionView]) -> Iterator[Need]:
    """The unfinished setups, and then the training, of adoptions of which the caller is the champion."""
    yield from _setups(uow, mine)
    for view, found in unfinished(uow, [view for view in mine if _in_use(view)]):
        title = _training_title(found)
        if title:
            yield partial(_to_train, view, found, title)


def _training_title(found: ChampionTraining) -> str:
    """The champion's next step; empty if it isn't theirs, or the setup's."""
    if Lacking.GRADES in found.missing:
        return f"⏳ Grade {plural(found.samples - found.graded, 'training sample')}"
    if Lacking.LESSONS in found.missing:
        return "⏳ Read the lessons"
    return "⏳ Review your training" if Lacking.AGREEMENT in found.missing else ""


def _to_train(view: AdoptionView, found: ChampionTraining, title: str) -> HomeNeed:
    done = f"{found.graded} of {plural(found.samples, 'sample')} graded"
    if Lacking.GRADES not in found.missing:
        done = f"you agreed with the owner on {found.agreed} of {plural(found.samples, 'sample')}"
    return HomeNeed(
        title=title,
        text=say(
            "{playbook} in {team}: {done}", playbook=view.playbook.title, team=view.team.title, done=done
        ),
        offers=(Offer("Continue", Action.TRAIN, str(view.id)),),
    )


def _setups(uow: UnitOfWork, mine: Sequence[AdoptionView]) -> Iterator[Need]:
    for view in mine:
        if view.adoption.champion != uow.actor.member or not _in_use(view):
            continue
        row = setup.of_adoption(uow, adoption_id=view.id)
        if view.cycle is None and (row is None or row.done_at is None):
            yield partial(_to_set_up, uow, view, row)


def _in_use(view: AdoptionView) -> bool:
    return view.adoption.state is AdoptionState.ACTIVE and view.playbook.state is not PlaybookState.RETIRED


def _to_set_up(uow: UnitOfWork, view: AdoptionView, row: Setup | None) -> HomeNeed:
    """A setup to start, or how many items of its checklist are left."""
    begin = Offer("Start setup", Action.START_SETUP, str(view.id))
    items = len(view.spec.checklist)
    left = plural(items, "item") + " to do"
    if row is not None:
        items = len(checklist(uow, row))
        ticked = len(setup.ticks(uow, setup_id=row.id or 0))
        begin = Offer("Setup done", Action.SETUP_DONE, str(view.id))
        left = f"{ticked} of {plural(items, 'item')} done"
    if not items:
        left = "no checklist" if row is None else "no checklist, so confirm it when the team is ready"
    return HomeNeed(
        title="⏳ Set up",
        text=say(
            "{playbook} in {team}: {left} · {channel}",
            playbook=view.playbook.title,
            team=view.team.title,
            left=left,
            channel=channel_link(view.team.channel),
        ),
        offers=(begin,),
    )


def _audits(uow: UnitOfWork, runs: Sequence[AdoptionView]) -> Iterator[Need]:
    """Ungraded runs drawn this week."""
    by_id = {view.id: view for view in runs}
    if not by_id:
        return
    drawn: Counter[int] = Counter()
    for adoption, week, count in rubrics.ungraded(
        uow, adoption_ids=sorted(by_id), since=min(view.week_start for view in runs)
    ):
        if week == by_id[adoption].week_start:
            drawn[adoption] += count
    for adoption, count in drawn.items():
        yield partial(_audit, by_id[adoption], count)


def _audit(view: AdoptionView, count: int) -> HomeNeed:
    return HomeNeed(
        title="⏳ Spot check",
        text=say(
            "{runs} of {playbook} ({team}) to grade",
            runs=plural(count, "run"),
            playbook=view.playbook.title,
            team=view.team.title,
        ),
        offers=(Offer("Grade", Action.GRADE_AUDIT, f"{view.id}:{view.week_start}"),),
    )


def _to_assess(view: AdoptionView) -> HomeNeed:
    """A pilot that met its target often enough; other teams come after its assessment."""
    return HomeNeed(
        title="⏳ Answer the assessment",
        text=say(
            "{playbook} in {team} met its target {cycles} in a row",
            playbook=view.playbook.title,
            team=view.team.title,
            cycles=plural(view.spec.scale_cycles, "cycle"),
        ),
        offers=(Offer("Answer", Action.ASSESS, view.playbook.slug),),
    )


def _setup(uow: UnitOfWork, view: AdoptionView) -> Iterator[Need]:
    """A team that has adopted the playbook and hasn't begun its first cycle."""
    if view.cycle is None and _in_use(view):
        yield partial(_setting_up, uow, view)


def _setting_up(uow: UnitOfWork, view: AdoptionView) -> HomeNeed:
    if waits_for_training(uow, view) is not None:
        return HomeNeed(
            title="⏳ Train the champion",
            text=say(
                "{playbook} in {team}: {left}",
                playbook=view.playbook.title,
                team=view.team.title,
                left=next_after_setup(uow, view),
            ),
            offers=next_offers(uow, view, reader=view.playbook.owner),
        )
    stands = standing(uow, view)
    return HomeNeed(
        title="⏳ Start the first cycle",
        text=say(
            "{playbook} in {team}: {stands}",
            playbook=view.playbook.title,
            team=view.team.title,
            stands=stands[0] if stands else "no cycle yet",
        ),
        offers=(Offer("Start", Action.START_CYCLE, f"{view.playbook.slug}:{view.team.slug}"),),
    )


def _gates(uow: UnitOfWork, runs: Sequence[AdoptionView]) -> Iterator[Need]:
    """This week's unmet gates, late in the week; with many adoptions the first are evaluated."""
    due = [view for view in runs if _has_gate(view)]
    for view in due[:GATES]:
        yield from _gate(uow, view)
    if len(due) > GATES:
        yield partial(_other_gates, len(due) - GATES)


def _other_gates(count: int) -> HomeNeed:
    return HomeNeed(
        title="⏳ More gates",
        text=say(
            "{teams} have a gate this week. See each with {command} and the team's name",
            teams=plural(count, "more team"),
            command=code("/cadence status team="),
        ),
    )


def _has_gate(view: AdoptionView) -> bool:
    return (
        view.cycle is not None
        and view.week is not None
        and not view.is_watched
        and view.cycle.state is CycleState.RUNNING
        and view.adoption.state is AdoptionState.ACTIVE
        and view.today.weekday() >= GATE_FROM
    )


def _gate(uow: UnitOfWork, view: AdoptionView) -> Iterator[Need]:
    cycle, week = view.cycle, view.week
    if cycle is None or week is None:
        return
    gate = gate_of(uow, view, cycle, week)
    if not gate.met:
        left = "; ".join(gate_words(check) for check in gate.missing)
        need = HomeNeed(
            title=f"⏳ Finish week {week}'s gate",
            text=say(
                "{playbook} ({team}): {left}", playbook=view.playbook.title, team=view.team.title, left=left
            ),
            offers=gate_offers(view, cycle, gate.missing, view.week_start)[:1],
        )
        yield lambda: need
