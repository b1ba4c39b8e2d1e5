"""A team's setup of a playbook: the timer starts, the checklist is ticked, the timer stops."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Final

from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    Skip,
    adoption_by_id,
    champion_left,
    once,
    require_not_retired,
    rewrite_setup,
    spec_of,
    version_name,
)
from cadence.flows.lessons import recent
from cadence.flows.numbers import require_team_member
from cadence.flows.training import next_after_setup, next_offers, tell_when_trained
from cadence.mrkdwn import channel_link, say
from cadence.nudges import Unless
from cadence.refusals import Offer, Refusal
from storage.outbox.queueing import NewMessage
from storage.queries import adoptions, playbooks, training, waves
from storage.queries import cycles as cycle_rows
from storage.queries import setup as setup_rows
from storage.tables import ChecklistTick, OutboxMessage, PlaybookState, Setup, SetupEnd
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.setup import ChecklistForm, ChecklistItem, SetupPost
from templates.filters import day, plural
from templates.ids import Action, Field

SETUP: Final = "setup"
CHAMPION: Final = "champion"
DONE: Final = "setup-done"
"""Kinds of message: for the team's channel, for the champion, and back to the owner."""
TO_FINISH: Final = "finish its setup"


class ItemsOpen(Refusal):
    """Setup can't be finished while items of its checklist are open."""


@once
def start_setup(uow: UnitOfWork, *, adoption_id: int) -> Done:
    """Start the timer; a second click finds it running.

    Raises:
        Refusal: the adoption doesn't exist (any more), or its playbook is retired. NotAllowed: somebody from
        outside the team who isn't the owner or a curator.
    """
    with uow.write():
        view = _entered(uow, adoption_id, to="start its setup")
        require_not_retired(view.playbook)
        row = setup_rows.of_adoption(uow, adoption_id=view.id)
        if row is None:
            row = Setup(
                workspace_id=uow.actor.workspace_id,
                adoption_id=view.id,
                version_id=view.adoption.version_id,
                started_by=uow.actor.member,
                started_at=uow.now,
            )
            uow.session.add(row)
            uow.session.flush()
            _record(uow, view, "setup-started", {"setup": row.id})
            rewrite_setup(uow, view, mark=uow.actor.request)
        standing = "Setup is already done." if row.done_at else "Timer started."
        return Done(
            text=say(
                "{standing} The checklist is in {channel}.",
                standing=standing,
                channel=channel_link(view.team.channel),
            )
        )


@once
def tick(uow: UnitOfWork, *, adoption_id: int, item: int, on: bool) -> None:
    """Tick or untick an item of the checklist; repeating it changes nothing.

    Raises:
        Refusal: setup hasn't started or is finished, the playbook is retired, or there is no such item.
        NotAllowed: somebody from outside the team who isn't the owner or a curator.
    """
    with uow.write():
        view = _entered(uow, adoption_id, to="check off its items")
        row = _started(uow, view)
        items = checklist(uow, row)
        if not 0 <= item < len(items):
            raise Refusal("That item isn't on the checklist anymore.")
        if row.done_at is not None and not on:
            raise Refusal("Setup is done, so items can't be unchecked.")
        known = setup_rows.ticks(uow, setup_id=row.id or 0).get(item)
        if (known is not None) is on:
            return
        if known is not None:
            known.unticked_at = uow.now
            uow.session.add(known)
            uow.session.flush()
            _record(uow, view, "checklist-unticked", {"item": item, "text": items[item]})
        else:
            _check_off(uow, view, row, item, items[item])
        rewrite_setup(uow, view, mark=uow.actor.request)


def _check_off(uow: UnitOfWork, view: AdoptionView, row: Setup, item: int, text: str) -> None:
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
    _record(uow, view, "checklist-ticked", {"item": item, "text": text})


SHOWN_AT_ONCE: Final = 10
"""Checkboxes in one input, Slack's limit."""


def checklist_form(uow: UnitOfWork, *, adoption_id: int) -> ChecklistForm:
    """The form to check off several items at once.

    Raises:
        Refusal: setup hasn't started, or no item is open. NotAllowed: somebody from outside the team who
        isn't the owner or a curator.
    """
    with uow.read():
        view = adoption_by_id(uow, adoption_id=adoption_id)
        require_team_member(uow, view, to=TO_FINISH)
        still = _open_items(uow, _started(uow, view))
        if not still:
            raise Refusal("Every item is checked off already.")
        return ChecklistForm(
            playbook=view.playbook.title,
            team=view.team.title,
            open_items=tuple(
                Choice(label=text, value=str(item)) for item, text in list(still.items())[:SHOWN_AT_ONCE]
            ),
            left=max(0, len(still) - SHOWN_AT_ONCE),
        )


@once
def check_off(uow: UnitOfWork, *, adoption_id: int, items: Collection[int]) -> Done:
    """Check off several items; setup is done once none is open, which may finish the champion's training.

    Raises:
        Refusal: setup hasn't started, the playbook is retired, or there is no such item. NotAllowed: somebody
        from outside the team who isn't the owner or a curator.
    """
    with uow.write():
        view = _entered(uow, adoption_id, to=TO_FINISH)
        row = _started(uow, view)
        texts, still = checklist(uow, row), _open_items(uow, row)
        if any(not 0 <= item < len(texts) for item in items):
            raise Refusal("That item isn't on the checklist.", field=Field.ITEMS)
        for item in sorted(still.keys() & set(items)):
            _check_off(uow, view, row, item, texts[item])
        left = _open_items(uow, row)
        if not left and row.done_at is None:
            return _finish(uow, view, row)
        rewrite_setup(uow, view, mark=uow.actor.request)
        more = Offer("Check off more", Action.SETUP_DONE, str(view.id))
        return Done(
            text=say(
                "{done} of {total} items done.{rest}",
                done=len(texts) - len(left),
                total=len(texts),
                rest=say(" To do: {names}.", names=_named(left)) if left else "",
            ),
            offers=(more,) if row.done_at is None else (),
        )


@once
def finish_setup(uow: UnitOfWork, *, adoption_id: int) -> Done:
    """Stop the timer: every item is ticked, and the champion's training may be done. A second click finds it
    stopped.

    Raises:
        ItemsOpen: items are open; the sentence names them.
        Refusal: setup hasn't started, or the playbook is retired.
        NotAllowed: somebody from outside the team who isn't the owner or a curator.
    """
    with uow.write():
        view = _entered(uow, adoption_id, to=TO_FINISH)
        row = _started(uow, view)
        still = _open_items(uow, row)
        if row.done_at is None and still:
            raise ItemsOpen(say("To do first: {names}. Check off what's done.", names=_named(still)))
        return _finish(uow, view, row)


def _finish(uow: UnitOfWork, view: AdoptionView, row: Setup) -> Done:
    """Stop the timer, unless it is stopped; the answer says what comes next."""
    if row.done_at is None:
        row.done_by, row.done_at, row.ended = uow.actor.member, uow.now, SetupEnd.SAID
        uow.session.add(row)
        after = {"minutes": minutes_of(row, now=uow.now), "ended": SetupEnd.SAID.value}
        _record(uow, view, "setup-done", after)
        rewrite_setup(uow, view, mark=uow.actor.request)
        _tell_owner(uow, view, row)
        tell_when_trained(uow, view)
    spec = spec_of(uow, playbooks.version(uow, version_id=row.version_id))
    return Done(
        text=say(
            "{title} is set up: {minutes:,} min ({limit:,} planned). {then}",
            title=view.playbook.title,
            minutes=minutes_of(row, now=uow.now),
            limit=spec.setup_minutes,
            then=next_after_setup(uow, view, reader=uow.actor.member),
        ),
        offers=next_offers(uow, view),
    )


def _tell_owner(uow: UnitOfWork, view: AdoptionView, row: Setup) -> None:
    """Tell the owner that a team is ready: they, not the team, can start its first cycle."""
    owner = view.playbook.owner
    if owner != uow.actor.member:
        uow.send(NewMessage(DONE, owner, {"adoption": view.id}, about=(row.id, owner)))


def first_run(uow: UnitOfWork, view: AdoptionView) -> None:
    """End a team's setup with its first attested run, in the caller's transaction; without a setup nothing
    happens."""
    if not view.is_setting_up:
        return
    row = setup_rows.of_adoption(uow, adoption_id=view.id)
    if row is None or row.done_at is not None:
        return
    row.done_at, row.ended = uow.now, SetupEnd.FIRST_RUN
    uow.session.add(row)
    uow.record(
        action="setup-done",
        subject=f"adoption:{view.id}",
        after={"minutes": minutes_of(row, now=uow.now), "ended": SetupEnd.FIRST_RUN.value},
        surface="clock",
    )
    rewrite_setup(uow, view, mark="first-run")


def minutes_of(row: Setup, *, now: datetime) -> int:
    """Wall-clock minutes of a setup so far, rounded up: never 0 once started."""
    seconds = ((row.done_at or now) - row.started_at).total_seconds()
    return max(1, -int(-seconds // 60))


def checklist(uow: UnitOfWork, row: Setup) -> tuple[str, ...]:
    """The items of the version that is being set up."""
    version = playbooks.version(uow, version_id=row.version_id)
    return spec_of(uow, version).checklist


def _entered(uow: UnitOfWork, adoption_id: int, *, to: str) -> AdoptionView:
    view = adoption_by_id(uow, adoption_id=adoption_id)
    require_team_member(uow, view, to=to)
    adoptions.lock_adoption(uow, adoption_id=view.id)
    return view


def _started(uow: UnitOfWork, view: AdoptionView) -> Setup:
    require_not_retired(view.playbook)
    row = setup_rows.of_adoption(uow, adoption_id=view.id)
    if row is None:
        raise Refusal(
            say(
                "Setup of {title} hasn't started in {team}. Click *Start setup* first.",
                title=view.playbook.title,
                team=view.team.title,
            )
        )
    return row


def _open_items(uow: UnitOfWork, row: Setup) -> dict[int, str]:
    """The items that aren't checked off, by number."""
    done = setup_rows.ticks(uow, setup_id=row.id or 0)
    return {number: text for number, text in enumerate(checklist(uow, row)) if number not in done}


def _named(items: Mapping[int, str]) -> str:
    """The first items in a sentence, and how many more there are."""
    names = "; ".join(text[:80] for text in list(items.values())[:3])
    return f"{names} and {len(items) - 3} more" if len(items) > 3 else names


def _record(uow: UnitOfWork, view: AdoptionView, action: str, after: dict[str, object]) -> None:
    uow.record(action=action, subject=f"adoption:{view.id}", after=after)


LESSONS_SHOWN = 5


def _run(uow: UnitOfWork, message: OutboxMessage) -> AdoptionView:
    return adoption_by_id(uow, adoption_id=int(message.subject["adoption"]))


def setup(uow: UnitOfWork, message: OutboxMessage) -> SetupPost:
    """The current state of the setup: not started, under way, or done."""
    view = _run(uow, message)
    row = setup_rows.of_adoption(uow, adoption_id=view.id)
    version = playbooks.version(uow, version_id=row.version_id if row else view.adoption.version_id)
    spec = spec_of(uow, version)
    retired = view.playbook.state is PlaybookState.RETIRED
    return SetupPost(
        adoption_id=view.id,
        slug=view.playbook.slug,
        team_slug=view.team.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        state="done" if row and row.done_at else "retired" if retired else "running" if row else "waiting",
        version=version_name(version),
        planned=spec.setup_minutes,
        items=_items(uow, view, row, spec.checklist),
        champion=view.adoption.champion,
        champion_left=champion_left(uow, view),
        owner=view.playbook.owner,
        minutes=minutes_of(row, now=uow.now) if row else None,
        started_by=row.started_by if row else None,
        started_at=row.started_at.astimezone(view.zone) if row else None,
        by_first_run=bool(row and row.ended == "first-run"),
        fixed=spec.fixed,
        adaptable=spec.adaptable,
        adapted=tuple(
            f"{row.part}: {row.text}"
            for row in waves.adaptations(uow, adoption_ids=[view.id])
            if row.part in spec.adaptable
        ),
        lessons=recent(uow, playbook_id=view.playbook.id or 0, limit=LESSONS_SHOWN, but_of=view.id),
        lessons_read=(view.id, view.adoption.champion) in training.readers(uow, adoption_ids=[view.id]),
        cycle_starts=_first_cycle(uow, view),
        then=next_after_setup(uow, view) if row and row.done_at else "",
    )


def _asked(uow: UnitOfWork, message: OutboxMessage) -> SetupPost | Done | Skip:
    """The setup, or the champion's first step; skipped if the playbook was retired before it was sent."""
    if _run(uow, message).playbook.state is PlaybookState.RETIRED:
        return Skip(Unless.RETIRED)
    return champion(uow, message) if message.kind == CHAMPION else setup(uow, message)


def _items(
    uow: UnitOfWork, view: AdoptionView, row: Setup | None, texts: tuple[str, ...]
) -> tuple[ChecklistItem, ...]:
    ticked = setup_rows.ticks(uow, setup_id=row.id or 0) if row else {}
    items = []
    for number, text in enumerate(texts):
        done = ticked.get(number)
        items.append(
            ChecklistItem(
                text=text,
                value=f"{view.id}:{number}:{'off' if done else 'on'}",
                ticked_by=done.member if done else None,
                ticked_at=done.ticked_at.astimezone(view.zone) if done else None,
            )
        )
    return tuple(items)


def _first_cycle(uow: UnitOfWork, view: AdoptionView) -> date | None:
    cycles = cycle_rows.cycles_of(uow, adoption_id=view.id)
    return cycles[0].starts_on if cycles else None


def ready(uow: UnitOfWork, message: OutboxMessage) -> Done | Skip:
    """Tell the owner that a team is set up, with the button that starts its first cycle; skipped once it
    was started, or the playbook was retired."""
    view = _run(uow, message)
    if view.playbook.state is PlaybookState.RETIRED:
        return Skip(Unless.RETIRED)
    return Skip(Unless.STARTED) if _first_cycle(uow, view) is not None else set_up(uow, message)


def set_up(uow: UnitOfWork, message: OutboxMessage) -> Done:
    """The owner's message: who can start the first cycle, or when it starts.

    Raises:
        Refusal: setup hasn't started.
    """
    view = _run(uow, message)
    row = setup_rows.of_adoption(uow, adoption_id=view.id)
    if row is None:
        raise Refusal("setup hasn't started")
    starts = _first_cycle(uow, view)
    retired = view.playbook.state is PlaybookState.RETIRED
    begin = () if starts or retired else next_offers(uow, view, reader=view.playbook.owner)
    return Done(
        text=say(
            "{team} set up {title} in {minutes:,} min ({limit:,} planned). {then}",
            team=view.team.title,
            title=view.playbook.title,
            minutes=minutes_of(row, now=uow.now),
            limit=view.spec.setup_minutes,
            then=f"Its first cycle starts {day(starts)}."
            if starts
            else "The playbook is retired, so no cycle starts."
            if retired
            else next_after_setup(uow, view, reader=view.playbook.owner),
        ),
        offers=(*begin, Offer("Show the playbook", Action.SHOW_PLAYBOOK, view.playbook.slug)),
    )


def champion(uow: UnitOfWork, message: OutboxMessage) -> Done:
    """A champion's first DM: their task, and the button that starts it."""
    view = _run(uow, message)
    show = Offer("Show the playbook", Action.SHOW_PLAYBOOK, view.playbook.slug)
    if view.playbook.state is PlaybookState.RETIRED:
        text = say(
            "{title} is retired: there's nothing to set up in {team}.",
            title=view.playbook.title,
            team=view.team.title,
        )
        return Done(text=text, offers=(show,))
    items = len(view.spec.checklist)
    begun = setup_rows.of_adoption(uow, adoption_id=view.id) is not None
    begin = () if begun else (Offer("Start setup", Action.START_SETUP, str(view.id)),)
    samples = len(
        training.samples(uow, playbook_ids=[view.adoption.playbook_id]).get(view.adoption.playbook_id, [])
    )
    grade = (Offer("Grade the samples", Action.TRAIN, str(view.id)),) if samples else ()
    return Done(
        text=say(
            "You're the champion of {title} in {team}: you set it up and keep it going.\n"
            "*First step:* click *Start setup*, then check off the items in {channel} ({items}). It takes up to "
            "{limit:,} min. {then}",
            title=view.playbook.title,
            team=view.team.title,
            channel=channel_link(view.team.channel),
            items="1 item" if items == 1 else f"{items} items",
            limit=view.spec.setup_minutes,
            then=say(
                "\n*Then:* grade {samples}, to see whether you and the owner judge alike.",
                samples=plural(samples, "training sample"),
            )
            if samples
            else "After that, the first cycle can start.",
        ),
        offers=(*begin, *grade, show),
    )


KINDS: Final = (
    MessageKind(SETUP, _asked, rewrite=setup, unless=(Unless.RETIRED,)),
    MessageKind(CHAMPION, _asked, rewrite=champion, unless=(Unless.RETIRED,)),
    MessageKind(DONE, ready, rewrite=set_up, unless=(Unless.STARTED, Unless.RETIRED)),
)
