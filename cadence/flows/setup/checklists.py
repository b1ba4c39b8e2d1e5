"""A team sets a playbook up: the clock starts, the checklist is ticked, the clock stops."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from cadence.actor import Actor
from cadence.documents import playbook_from_data
from cadence.flows.core import (
    Composed,
    Say,
    Skip,
    TeamRun,
    champion_left,
    once,
    require_not_retired,
    run_by_id,
    version_name,
)
from cadence.flows.lessons import recent
from cadence.flows.numbers import require_team_member
from cadence.mrkdwn import channel_link, mention, say
from cadence.nudges import Unless
from cadence.refusals import Offer, Refusal
from storage import trail
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import adoptions, playbooks
from storage.tables import ChecklistTick, OwedMessage, PlaybookState, Setup, SetupEnd
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.spreading import ChecklistItem, SetupPost
from templates.filters import day
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class _At:
    """Who does what, where and when."""

    session: Session
    caller: Actor
    run: TeamRun
    now: datetime


@once
def start_setup(uow: UnitOfWork, *, adoption_id: int) -> Done:
    """Start the clock; a second click finds it running.

    Raises:
        Refusal: the adoption isn't there (any more), or its playbook is retired.
        NotAllowed: somebody from outside the team who isn't the owner or a curator.
    """
    with uow.write():
        at = _entered(uow, adoption_id, to="start its setup")
        require_not_retired(at.run.playbook)
        row = adoptions.of_adoption(uow, adoption_id=at.run.id)
        if row is None:
            row = Setup(
                workspace_id=uow.actor.workspace_id,
                adoption_id=at.run.id,
                version_id=at.run.adoption.version_id,
                started_by=uow.actor.member,
                started_at=uow.now,
            )
            uow.session.add(row)
            uow.session.flush()
            _record(at, "setup-started", {"setup": row.id})
            rewrite(uow, at.run, mark=uow.actor.request)
        standing = "Setup was done already." if row.done_at else "The clock runs."
        return Done(
            text=say(
                "{standing} The checklist is in {channel}.",
                standing=standing,
                channel=channel_link(at.run.team.channel),
            )
        )


@once
def tick(uow: UnitOfWork, *, adoption_id: int, item: int, on: bool) -> None:
    """Tick an item of the checklist, or take the tick back; what is so already stays so.

    Raises:
        Refusal: setup hasn't started or was said to be done, or there is no such item.
        NotAllowed: somebody from outside the team who isn't the owner or a curator.
    """
    with uow.write():
        at = _entered(uow, adoption_id, to="tick its checklist")
        row = _started(at)
        items = checklist(uow, row)
        if not 0 <= item < len(items):
            raise Refusal("That item isn't on the checklist.")
        if row.done_at is not None and not on:
            raise Refusal("Setup is over, so its ticks stay as they are.")
        known = adoptions.ticks(uow, setup_id=row.id or 0).get(item)
        if (known is not None) is on:
            return
        if known is not None:
            known.unticked_at = uow.now
            uow.session.add(known)
        else:
            uow.session.add(
                ChecklistTick(
                    workspace_id=uow.actor.workspace_id,
                    setup_id=row.id or 0,
                    item=item,
                    member=uow.actor.member,
                    ticked_at=uow.now,
                )
            )
        uow.session.flush()
        _record(at, "checklist-ticked" if on else "checklist-unticked", {"item": item, "text": items[item]})
        rewrite(uow, at.run, mark=uow.actor.request)


@once
def finish_setup(uow: UnitOfWork, *, adoption_id: int) -> Done:
    """Stop the clock: every item is ticked. A second click finds it stopped.

    Raises:
        Refusal: setup hasn't started, or items are open; the sentence names them.
        NotAllowed: somebody from outside the team who isn't the owner or a curator.
    """
    with uow.write():
        at = _entered(uow, adoption_id, to="say that its setup is done")
        row = _started(at)
        if row.done_at is None:
            _require_ticked(uow, row)
            row.done_by, row.done_at, row.ended = uow.actor.member, uow.now, SetupEnd.SAID
            uow.session.add(row)
            _record(at, "setup-done", {"minutes": minutes_of(row, now=uow.now), "ended": SetupEnd.SAID.value})
            rewrite(uow, at.run, mark=uow.actor.request)
            _tell_owner(at, row)
        spec = playbook_from_data(playbooks.version(uow, version_id=row.version_id).spec)
        return Done(
            text=say(
                "{title} is set up in {minutes:,} min ({limit:,} planned). Next: {who} starts the first cycle.",
                title=at.run.playbook.title,
                minutes=minutes_of(row, now=uow.now),
                limit=spec.setup_minutes,
                who=mention(at.run.playbook.owner),
            ),
            offers=(start_offer(at.run),) if uow.actor.member == at.run.playbook.owner else (),
        )


def start_offer(run: TeamRun) -> Offer:
    """The button that starts a team's first cycle."""
    return Offer("Start the first cycle", Action.START_CYCLE, f"{run.playbook.slug}:{run.team.slug}")


def _tell_owner(at: _At, row: Setup) -> None:
    """The owner hears that a team is ready: they, not the team, may start its first cycle."""
    owner = at.run.playbook.owner
    if owner == at.caller.member:
        return
    ledger.owe(
        UnitOfWork.around(at.session, Actor.system(at.run.workspace.id), at.now),
        owed=[
            Owed(
                key=f"setup-done:{at.run.workspace.id}:{row.id}:{owner}",
                kind="setup-done",
                recipient=owner,
                subject={"adoption": at.run.id},
                due_at=at.now,
            )
        ],
        correlation_id=at.caller.request,
    )


def first_run(uow: UnitOfWork, run: TeamRun) -> None:
    """The first attested run of a team ends its setup, in the caller's transaction; without one nothing happens."""
    row = adoptions.of_adoption(uow, adoption_id=run.id)
    if row is None or row.done_at is not None:
        return
    row.done_at, row.ended = uow.now, SetupEnd.FIRST_RUN
    uow.session.add(row)
    trail.record(
        uow,
        at=uow.now,
        member=None,
        action="setup-done",
        subject=f"adoption:{run.id}",
        surface="clock",
        after={"minutes": minutes_of(row, now=uow.now), "ended": SetupEnd.FIRST_RUN.value},
    )
    rewrite(uow, run, mark="first-run")


def minutes_of(row: Setup, *, now: datetime) -> int:
    """Wall-clock minutes a setup took, or has taken so far, begun ones counted: never 0 once started."""
    seconds = ((row.done_at or now) - row.started_at).total_seconds()
    return max(1, -int(-seconds // 60))


def checklist(uow: UnitOfWork, row: Setup) -> tuple[str, ...]:
    """The items of the version that is being set up."""
    version = playbooks.version(uow, version_id=row.version_id)
    return playbook_from_data(version.spec).checklist


def rewrite(uow: UnitOfWork, run: TeamRun, *, mark: str) -> None:
    """Owe the team's setup message and the DMs of champion and owner as they are now, once for each mark."""
    about = f"{run.workspace.id}:{run.id}"
    prefixes = [f"setup:{about}", f"champion:{about}"]
    row = adoptions.of_adoption(uow, adoption_id=run.id)
    if row is not None:
        prefixes.append(f"setup-done:{run.workspace.id}:{row.id}")
    ledger.owe_rewrites(
        uow,
        messages=[sent for prefix in prefixes for sent in ledger.by_prefix(uow, prefix=prefix)],
        mark=mark,
    )


def _entered(uow: UnitOfWork, adoption_id: int, *, to: str) -> _At:
    run = run_by_id(uow, adoption_id=adoption_id)
    require_team_member(uow, run, to=to)
    playbooks.lock_adoption(uow, adoption_id=run.id)
    return _At(uow.session, uow.actor, run, uow.now)


def _started(at: _At) -> Setup:
    row = adoptions.of_adoption(
        UnitOfWork.around(at.session, Actor.system(at.caller.workspace_id)), adoption_id=at.run.id
    )
    if row is None:
        raise Refusal(
            say(
                "Setup of {title} hasn't started in {team}; press Start setup.",
                title=at.run.playbook.title,
                team=at.run.team.title,
            )
        )
    return row


def _require_ticked(uow: UnitOfWork, row: Setup) -> None:
    done = adoptions.ticks(uow, setup_id=row.id or 0)
    still = [text for number, text in enumerate(checklist(uow, row)) if number not in done]
    if still:
        names = "; ".join(text[:80] for text in still[:3])
        more = f" and {len(still) - 3} more" if len(still) > 3 else ""
        raise Refusal(
            say(
                "{count} of the checklist {are} still open: {names}{more}. Tick what is done.",
                count=f"{len(still)} items" if len(still) > 1 else "1 item",
                are="are" if len(still) > 1 else "is",
                names=names,
                more=more,
            )
        )


def _record(at: _At, action: str, after: dict[str, object]) -> None:
    trail.record(
        UnitOfWork.around(at.session, Actor.system(at.caller.workspace_id, request=at.caller.request)),
        at=at.now,
        member=at.caller.member,
        action=action,
        subject=f"adoption:{at.run.id}",
        surface=at.caller.surface,
        after=after,
    )


LESSONS_SHOWN = 5


def _run(uow: UnitOfWork, message: OwedMessage) -> TeamRun:
    return run_by_id(uow, adoption_id=int(message.subject["adoption"]))


def setup(uow: UnitOfWork, message: OwedMessage) -> SetupPost:
    """The setup as it stands: to be started, under way, or done."""
    run = _run(uow, message)
    row = adoptions.of_adoption(uow, adoption_id=run.id)
    version = playbooks.version(uow, version_id=row.version_id if row else run.adoption.version_id)
    spec = playbook_from_data(version.spec)
    retired = run.playbook.state is PlaybookState.RETIRED
    return SetupPost(
        adoption_id=run.id,
        slug=run.playbook.slug,
        team_slug=run.team.slug,
        playbook=run.playbook.title,
        team=run.team.title,
        state="done" if row and row.done_at else "retired" if retired else "running" if row else "waiting",
        version=version_name(version),
        planned=spec.setup_minutes,
        items=_items(uow, run, row, spec.checklist),
        champion=run.adoption.champion,
        champion_left=champion_left(uow, run),
        owner=run.playbook.owner,
        minutes=minutes_of(row, now=uow.now) if row else None,
        started_by=row.started_by if row else None,
        started_at=row.started_at.astimezone(run.zone) if row else None,
        by_first_run=bool(row and row.ended == "first-run"),
        fixed=spec.fixed,
        adaptable=spec.adaptable,
        lessons=recent(uow, playbook_id=run.playbook.id or 0, limit=LESSONS_SHOWN, but_of=run.id),
        cycle_starts=_first_cycle(uow, run),
    )


def asked(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """The setup, or the champion's first step; nothing when the playbook was retired before anybody was asked."""
    if _run(uow, message).playbook.state is PlaybookState.RETIRED:
        return Skip(Unless.RETIRED)
    return Say((champion if message.kind == "champion" else setup)(uow, message))


def _items(
    uow: UnitOfWork, run: TeamRun, row: Setup | None, texts: tuple[str, ...]
) -> tuple[ChecklistItem, ...]:
    ticked = adoptions.ticks(uow, setup_id=row.id or 0) if row else {}
    items = []
    for number, text in enumerate(texts):
        done = ticked.get(number)
        items.append(
            ChecklistItem(
                text=text,
                value=f"{run.id}:{number}:{'off' if done else 'on'}",
                ticked_by=done.member if done else None,
                ticked_at=done.ticked_at.astimezone(run.zone) if done else None,
            )
        )
    return tuple(items)


def _first_cycle(uow: UnitOfWork, run: TeamRun) -> date | None:
    cycles = playbooks.cycles_of(uow, adoption_id=run.id)
    return cycles[0].starts_on if cycles else None


def ready(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """To the owner: a team is set up, and the button that starts its first cycle; not once it was started."""
    run = _run(uow, message)
    return Skip(Unless.STARTED) if _first_cycle(uow, run) is not None else Say(set_up(uow, message))


def set_up(uow: UnitOfWork, message: OwedMessage) -> Done:
    """What the owner's message says: who starts the first cycle, or when it starts.

    Raises:
        Refusal: setup hasn't started.
    """
    run = _run(uow, message)
    row = adoptions.of_adoption(uow, adoption_id=run.id)
    if row is None:
        raise Refusal("setup hasn't started")
    starts = _first_cycle(uow, run)
    begin = () if starts else (start_offer(run),)
    return Done(
        text=say(
            "{team} has set up {title} in {minutes:,} min ({limit:,} planned). {then}",
            team=run.team.title,
            title=run.playbook.title,
            minutes=minutes_of(row, now=uow.now),
            limit=run.spec.setup_minutes,
            then=f"Its first cycle starts {day(starts)}."
            if starts
            else "Next is its first cycle, which you or a curator may start.",
        ),
        offers=(*begin, Offer("Show the playbook", Action.SHOW_PLAYBOOK, run.playbook.slug)),
    )


def champion(uow: UnitOfWork, message: OwedMessage) -> Done:
    """A champion's first DM: what they are asked to do, and the button that begins it."""
    run = _run(uow, message)
    show = Offer("Show the playbook", Action.SHOW_PLAYBOOK, run.playbook.slug)
    if run.playbook.state is PlaybookState.RETIRED:
        text = say(
            "{title} is retired: there is nothing to set up in {team}.",
            title=run.playbook.title,
            team=run.team.title,
        )
        return Done(text=text, offers=(show,))
    items = len(run.spec.checklist)
    begun = adoptions.of_adoption(uow, adoption_id=run.id) is not None
    begin = () if begun else (Offer("Start setup", Action.START_SETUP, str(run.id)),)
    return Done(
        text=say(
            "You are the champion of {title} in {team}: you set it up and keep the team at it.\n"
            "First step: press Start setup, go through the checklist in {channel} ({items}) and say when it is done; "
            "{limit:,} min is the plan. Then the first cycle can start.",
            title=run.playbook.title,
            team=run.team.title,
            channel=channel_link(run.team.channel),
            items="1 item" if items == 1 else f"{items} items",
            limit=run.spec.setup_minutes,
        ),
        offers=(*begin, show),
    )
