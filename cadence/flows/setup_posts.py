"""What a setup's messages say now: the checklist in the team's channel, the champion's first step."""

from datetime import date, datetime

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.flows.champions import champion_left
from cadence.flows.composed import Composed, Say, Skip
from cadence.flows.lessons import recent
from cadence.flows.runs import TeamRun, run_by_id
from cadence.flows.setups import minutes_of, start_offer
from cadence.flows.versions import version_name
from cadence.mrkdwn import channel_link, say
from cadence.nudges import Unless
from cadence.refusals import Offer, Refusal
from storage import playbooks, setups
from storage.tables import OwedMessage, PlaybookState, Setup
from templates.contexts.answers import Done
from templates.contexts.spreading import ChecklistItem, SetupPost
from templates.filters import day
from templates.ids import Action

LESSONS_SHOWN = 5


def _run(session: Session, message: OwedMessage, now: datetime) -> TeamRun:
    return run_by_id(
        session,
        workspace_id=message.workspace_id,
        adoption_id=int(message.subject["adoption"]),
        now=now,
    )


def setup(session: Session, message: OwedMessage, now: datetime) -> SetupPost:
    """The setup as it stands: to be started, under way, or done."""
    run = _run(session, message, now)
    row = setups.of_adoption(session, workspace_id=run.workspace.id, adoption_id=run.id)
    version = playbooks.version(
        session,
        workspace_id=run.workspace.id,
        version_id=row.version_id if row else run.adoption.version_id,
    )
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
        items=_items(session, run, row, spec.checklist),
        champion=run.adoption.champion,
        champion_left=champion_left(session, run),
        owner=run.playbook.owner,
        minutes=minutes_of(row, now=now) if row else None,
        started_by=row.started_by if row else None,
        started_at=row.started_at.astimezone(run.zone) if row else None,
        by_first_run=bool(row and row.ended == "first-run"),
        fixed=spec.fixed,
        adaptable=spec.adaptable,
        lessons=recent(
            session,
            workspace_id=run.workspace.id,
            playbook_id=run.playbook.id or 0,
            limit=LESSONS_SHOWN,
            but_of=run.id,
        ),
        cycle_starts=_first_cycle(session, run),
    )


def asked(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """The setup, or the champion's first step; nothing when the playbook was retired before anybody was asked."""
    if _run(session, message, now).playbook.state is PlaybookState.RETIRED:
        return Skip(Unless.RETIRED)
    return Say((champion if message.kind == "champion" else setup)(session, message, now))


def _items(
    session: Session, run: TeamRun, row: Setup | None, texts: tuple[str, ...]
) -> tuple[ChecklistItem, ...]:
    ticked = setups.ticks(session, workspace_id=run.workspace.id, setup_id=row.id or 0) if row else {}
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


def _first_cycle(session: Session, run: TeamRun) -> date | None:
    cycles = playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id)
    return cycles[0].starts_on if cycles else None


def ready(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """To the owner: a team is set up, and the button that starts its first cycle; not once it was started."""
    run = _run(session, message, now)
    return (
        Skip(Unless.STARTED) if _first_cycle(session, run) is not None else Say(set_up(session, message, now))
    )


def set_up(session: Session, message: OwedMessage, now: datetime) -> Done:
    """What the owner's message says: who starts the first cycle, or when it starts.

    Raises:
        Refusal: setup hasn't started.
    """
    run = _run(session, message, now)
    row = setups.of_adoption(session, workspace_id=run.workspace.id, adoption_id=run.id)
    if row is None:
        raise Refusal("setup hasn't started")
    starts = _first_cycle(session, run)
    begin = () if starts else (start_offer(run),)
    return Done(
        text=say(
            "{team} has set up {title} in {minutes:,} min ({limit:,} planned). {then}",
            team=run.team.title,
            title=run.playbook.title,
            minutes=minutes_of(row, now=now),
            limit=run.spec.setup_minutes,
            then=f"Its first cycle starts {day(starts)}."
            if starts
            else "Next is its first cycle, which you or a curator may start.",
        ),
        offers=(*begin, Offer("Show the playbook", Action.SHOW_PLAYBOOK, run.playbook.slug)),
    )


def champion(session: Session, message: OwedMessage, now: datetime) -> Done:
    """A champion's first DM: what they are asked to do, and the button that begins it."""
    run = _run(session, message, now)
    show = Offer("Show the playbook", Action.SHOW_PLAYBOOK, run.playbook.slug)
    if run.playbook.state is PlaybookState.RETIRED:
        text = say(
            "{title} is retired: there is nothing to set up in {team}.",
            title=run.playbook.title,
            team=run.team.title,
        )
        return Done(text=text, offers=(show,))
    items = len(run.spec.checklist)
    begun = setups.of_adoption(session, workspace_id=run.workspace.id, adoption_id=run.id) is not None
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
