"""A team sets a playbook up: the clock starts, the checklist is ticked, the clock stops."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.flows.callers import Caller
from cadence.flows.kpis import require_team_member
from cadence.flows.repeats import once
from cadence.flows.runs import TeamRun, run_by_id
from cadence.flows.versions import require_not_retired
from cadence.mrkdwn import channel_link, mention, say
from cadence.refusals import Offer, Refusal
from storage import ledger, playbooks, setups, trail
from storage.engine import Database
from storage.ledger import Owed
from storage.tables import ChecklistTick, Setup, SetupEnd
from templates.contexts.answers import Done
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class _At:
    """Who does what, where and when."""

    session: Session
    caller: Caller
    run: TeamRun
    now: datetime


@once
def start_setup(db: Database, caller: Caller, *, adoption_id: int, now: datetime) -> Done:
    """Start the clock; a second click finds it running.

    Raises:
        Refusal: the adoption isn't there (any more), or its playbook is retired.
        NotAllowed: somebody from outside the team who isn't the owner or a curator.
    """
    with db.write() as session:
        at = _entered(session, caller, adoption_id, to="start its setup", now=now)
        require_not_retired(at.run.playbook)
        row = setups.of_adoption(session, workspace_id=caller.workspace_id, adoption_id=at.run.id)
        if row is None:
            row = Setup(
                workspace_id=caller.workspace_id,
                adoption_id=at.run.id,
                version_id=at.run.adoption.version_id,
                started_by=caller.member,
                started_at=now,
            )
            session.add(row)
            session.flush()
            _record(at, "setup-started", {"setup": row.id})
            rewrite(session, at.run, mark=caller.request, now=now)
        standing = "Setup was done already." if row.done_at else "The clock runs."
        return Done(
            text=say(
                "{standing} The checklist is in {channel}.",
                standing=standing,
                channel=channel_link(at.run.team.channel),
            )
        )


@once
def tick(db: Database, caller: Caller, *, adoption_id: int, item: int, on: bool, now: datetime) -> None:
    """Tick an item of the checklist, or take the tick back; what is so already stays so.

    Raises:
        Refusal: setup hasn't started or was said to be done, or there is no such item.
        NotAllowed: somebody from outside the team who isn't the owner or a curator.
    """
    with db.write() as session:
        at = _entered(session, caller, adoption_id, to="tick its checklist", now=now)
        row = _started(at)
        items = checklist(session, row)
        if not 0 <= item < len(items):
            raise Refusal("That item isn't on the checklist.")
        if row.done_at is not None and not on:
            raise Refusal("Setup is over, so its ticks stay as they are.")
        known = setups.ticks(session, workspace_id=caller.workspace_id, setup_id=row.id or 0).get(item)
        if (known is not None) is on:
            return
        if known is not None:
            known.unticked_at = now
            session.add(known)
        else:
            session.add(
                ChecklistTick(
                    workspace_id=caller.workspace_id,
                    setup_id=row.id or 0,
                    item=item,
                    member=caller.member,
                    ticked_at=now,
                )
            )
        session.flush()
        _record(at, "checklist-ticked" if on else "checklist-unticked", {"item": item, "text": items[item]})
        rewrite(session, at.run, mark=caller.request, now=now)


@once
def finish_setup(db: Database, caller: Caller, *, adoption_id: int, now: datetime) -> Done:
    """Stop the clock: every item is ticked. A second click finds it stopped.

    Raises:
        Refusal: setup hasn't started, or items are open; the sentence names them.
        NotAllowed: somebody from outside the team who isn't the owner or a curator.
    """
    with db.write() as session:
        at = _entered(session, caller, adoption_id, to="say that its setup is done", now=now)
        row = _started(at)
        if row.done_at is None:
            _require_ticked(session, row)
            row.done_by, row.done_at, row.ended = caller.member, now, SetupEnd.SAID
            session.add(row)
            _record(at, "setup-done", {"minutes": minutes_of(row, now=now), "ended": SetupEnd.SAID.value})
            rewrite(session, at.run, mark=caller.request, now=now)
            _tell_owner(at, row)
        spec = playbook_from_data(
            playbooks.version(session, workspace_id=caller.workspace_id, version_id=row.version_id).spec
        )
        return Done(
            text=say(
                "{title} is set up in {minutes:,} min ({limit:,} planned). Next: {who} starts the first cycle.",
                title=at.run.playbook.title,
                minutes=minutes_of(row, now=now),
                limit=spec.setup_minutes,
                who=mention(at.run.playbook.owner),
            ),
            offers=(start_offer(at.run),) if caller.member == at.run.playbook.owner else (),
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
        at.session,
        workspace_id=at.run.workspace.id,
        owed=[
            Owed(
                key=f"setup-done:{at.run.workspace.id}:{row.id}:{owner}",
                kind="setup-done",
                recipient=owner,
                subject={"adoption": at.run.id},
                due_at=at.now,
            )
        ],
        now=at.now,
        correlation_id=at.caller.request,
    )


def first_run(session: Session, run: TeamRun, now: datetime) -> None:
    """The first attested run of a team ends its setup, in the caller's transaction; without one nothing happens."""
    row = setups.of_adoption(session, workspace_id=run.workspace.id, adoption_id=run.id)
    if row is None or row.done_at is not None:
        return
    row.done_at, row.ended = now, SetupEnd.FIRST_RUN
    session.add(row)
    trail.record(
        session,
        workspace_id=run.workspace.id,
        at=now,
        member=None,
        action="setup-done",
        subject=f"adoption:{run.id}",
        surface="clock",
        after={"minutes": minutes_of(row, now=now), "ended": SetupEnd.FIRST_RUN.value},
    )
    rewrite(session, run, mark="first-run", now=now)


def minutes_of(row: Setup, *, now: datetime) -> int:
    """Wall-clock minutes a setup took, or has taken so far, begun ones counted: never 0 once started."""
    seconds = ((row.done_at or now) - row.started_at).total_seconds()
    return max(1, -int(-seconds // 60))


def checklist(session: Session, row: Setup) -> tuple[str, ...]:
    """The items of the version that is being set up."""
    version = playbooks.version(session, workspace_id=row.workspace_id, version_id=row.version_id)
    return playbook_from_data(version.spec).checklist


def rewrite(session: Session, run: TeamRun, *, mark: str, now: datetime) -> None:
    """Owe the team's setup message and the DMs of champion and owner as they are now, once for each mark."""
    about = f"{run.workspace.id}:{run.id}"
    prefixes = [f"setup:{about}", f"champion:{about}"]
    row = setups.of_adoption(session, workspace_id=run.workspace.id, adoption_id=run.id)
    if row is not None:
        prefixes.append(f"setup-done:{run.workspace.id}:{row.id}")
    ledger.owe_rewrites(
        session,
        workspace_id=run.workspace.id,
        messages=[
            sent
            for prefix in prefixes
            for sent in ledger.by_prefix(session, workspace_id=run.workspace.id, prefix=prefix)
        ],
        mark=mark,
        now=now,
    )


def _entered(session: Session, caller: Caller, adoption_id: int, *, to: str, now: datetime) -> _At:
    run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
    require_team_member(session, caller, run, to=to)
    playbooks.lock_adoption(session, workspace_id=caller.workspace_id, adoption_id=run.id)
    return _At(session, caller, run, now)


def _started(at: _At) -> Setup:
    row = setups.of_adoption(at.session, workspace_id=at.caller.workspace_id, adoption_id=at.run.id)
    if row is None:
        raise Refusal(
            say(
                "Setup of {title} hasn't started in {team}; press Start setup.",
                title=at.run.playbook.title,
                team=at.run.team.title,
            )
        )
    return row


def _require_ticked(session: Session, row: Setup) -> None:
    done = setups.ticks(session, workspace_id=row.workspace_id, setup_id=row.id or 0)
    still = [text for number, text in enumerate(checklist(session, row)) if number not in done]
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
        at.session,
        workspace_id=at.caller.workspace_id,
        at=at.now,
        member=at.caller.member,
        action=action,
        subject=f"adoption:{at.run.id}",
        surface=at.caller.surface,
        after=after,
        correlation_id=at.caller.request,
    )
