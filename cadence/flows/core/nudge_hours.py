"""Nudge hours (weekday and time) of a workspace and of one adoption: read and set."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeAlias

from cadence.flows.core.actor import require_curator, require_owner_or_curator
from cadence.flows.core.adoptions import AdoptionView, require_workspace
from cadence.flows.core.finding import ended
from cadence.flows.core.persons import working_days
from cadence.mrkdwn import say
from cadence.nudges import BY_KIND, Hour, Nudge
from cadence.nudges.hours import (
    DAY_NAMES,
    SETTABLE,
    HourRefused,
    in_lines,
    nudge_named,
    read_hour,
    require_in_order,
    settable,
)
from cadence.nudges.table import Timing
from cadence.refusals import Refusal
from cadence.rules.calendar import instant
from storage.queries import adoptions, playbooks
from storage.query_cache import hold
from storage.tables import Adoption, Workspace
from storage.work import UnitOfWork

FIELD: Final = "hours"
"""The form's input for the lines; refusals name it."""
Hours: TypeAlias = Mapping[str, Hour]
"""By kind of nudge. An `Hour` is (weekday, local time, since when)."""
_KEY: Final = "nudges"


def hours_of(uow: UnitOfWork, *, adoption_id: int | None = None) -> dict[str, Hour]:
    """The effective hour of every nudge that has one, for a workspace or for one adoption.

    Raises:
        Refusal: the workspace isn't set up.
    """
    workspace = require_workspace(uow)
    if adoption_id is None:
        return _effective(workspace_hours(workspace))
    adoption = adoptions.by_id(uow, adoption_id=adoption_id)
    return hours_in(workspace, adoption)


def hours_in(workspace: Workspace, adoption: Adoption | None) -> dict[str, Hour]:
    """The hour of every nudge in one adoption: its own, else the workspace's, else the table's."""
    of_workspace = workspace_hours(workspace)
    own = adoption_hours(adoption.hours, of_workspace) if adoption else {}
    return _effective(of_workspace | own)


def due_in_week(view: AdoptionView, monday: date, nudge: Nudge) -> datetime:
    """When a nudge is due in a team's week by its hours, days off aside."""
    hour = hours_in(view.workspace, view.adoption)[nudge.kind]
    return instant(monday + timedelta(days=hour.weekday), hour.at, view.zone)


def _effective(own: Hours) -> dict[str, Hour]:
    return {row.kind: own.get(row.kind) or row.hour for row in SETTABLE if row.hour}


def workspace_hours(workspace: Workspace) -> dict[str, Hour]:
    """The hours set for the workspace."""
    return _read(workspace.settings.get(_KEY, {}), {})


def own_hours(workspace: Workspace) -> dict[str, Hour]:
    """The workspace's hours that differ from the defaults."""
    own = workspace_hours(workspace)
    return {
        row.kind: own[row.kind]
        for row in SETTABLE
        if row.hour and row.kind in own and own[row.kind][:2] != row.hour[:2]
    }


def adoption_hours(stored: Mapping[str, Any], of_workspace: Hours) -> dict[str, Hour]:
    """The hours set for an adoption, from its row."""
    return _read(stored, of_workspace)


def _read(stored: Mapping[str, Any], inherited: Hours) -> dict[str, Hour]:
    """Stored hours; a reset hour is the inherited one, since the reset."""
    found = {}
    for kind, one in stored.items():
        row = BY_KIND.get(kind)
        if row is None or row.hour is None:
            continue
        since = datetime.fromisoformat(one["since"]) if one.get("since") else None
        if "at" in one:
            found[kind] = Hour(one["weekday"], datetime.strptime(one["at"], "%H:%M").time(), since)  # noqa: DTZ007
        else:
            base = inherited.get(kind, row.hour)
            marks = [mark for mark in (base.since, since) if mark is not None]
            found[kind] = base._replace(since=max(marks, default=None))
    return found


def parse_hours(text: str, *, of_adoption: bool = False) -> dict[str, Hour]:
    """Parse lines such as `check-in: Thu 10:00` by kind of nudge; the inverse of `in_lines`.

    Raises:
        Refusal: lists each invalid line with a correct example; its field is `hours`.
    """
    found: dict[str, Hour] = {}
    refused: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        try:
            if (
                not colon or name.rstrip()[-1:].isdecimal()
            ):  # the colon in `check-in Thu 10:00` belongs to the hour
                raise HourRefused("a colon is missing after the name", "write a line as check-in: Thu 10:00")
            row = nudge_named(name, of_adoption=of_adoption)
            if row.kind in found:
                raise HourRefused(f"{row.title} is listed twice", "keep one of the two")
            found[row.kind] = read_hour(value, row)
        except HourRefused as wrong:
            refused.append(
                f"Line {number}: {wrong.reason}. {ended(wrong.right[0].upper() + wrong.right[1:])}"
            )
    if refused:
        raise Refusal(" ".join(refused), field=FIELD)
    return found


def lines_of(hours: Hours, *, of_adoption: bool = False) -> str:
    """Hours as lines for a form; the inverse of `parse_hours`."""
    shown = {row.kind for row in settable(of_adoption=of_adoption)}
    return in_lines({kind: hour for kind, hour in hours.items() if kind in shown})


def save_hours(uow: UnitOfWork, *, adoption_id: int | None, hours: Hours) -> dict[str, Hour]:
    """Set all hours of a workspace or of one adoption: an omitted nudge gets its default back.

    An adoption's default is its workspace's hour. A nudge of this week that was already sent isn't sent
    again; an unsent one whose new hour has passed is due immediately.

    Raises:
        NotAllowed: not a curator; for an adoption, not its owner either. Refusal: an hour at night, a weekday
        that isn't a working day, a reminder before its check-in.
    """
    if adoption_id is None:
        require_curator(uow, to="change the workspace's nudge hours")
        return keep_workspace_hours(uow, hours)
    workspace = require_workspace(uow)
    adoption = adoptions.lock_adoption(uow, adoption_id=adoption_id)
    playbook = playbooks.by_id(uow, playbook_id=adoption.playbook_id)
    require_owner_or_curator(uow, playbook=playbook, to="change its teams' nudge hours")
    before = hours_in(workspace, adoption)
    inherited = _effective(workspace_hours(workspace))
    wanted = _wanted(hours, before, inherited, working_days(workspace), of_adoption=True)
    adoption.hours = _stored(adoption.hours, before, wanted, inherited, now=uow.now)
    uow.session.add(adoption)
    _record(uow, f"adoption:{adoption.id}", before, wanted)
    return hours_in(workspace, adoption)


def keep_workspace_hours(uow: UnitOfWork, hours: Hours) -> dict[str, Hour]:
    """Set the workspace's hours for an authorized caller.

    Raises:
        Refusal: see `save_hours`; also if an adoption's reminder would come before its check-in.
    """
    workspace = require_workspace(uow)
    hold(uow, workspace)
    before = _effective(workspace_hours(workspace))
    defaults = _effective({})
    wanted = _wanted(hours, before, defaults, working_days(workspace), of_adoption=False)
    for adoption in adoptions.with_hours(uow):
        _require_in_order(wanted | _own(adoption, wanted), "An adoption has hours of its own: there ")
    stored = _stored(workspace.settings.get(_KEY, {}), before, wanted, defaults, now=uow.now)
    workspace.settings = workspace.settings | {_KEY: stored}
    uow.session.add(workspace)
    _record(uow, f"workspace:{workspace.id}", before, wanted)
    return _effective(workspace_hours(workspace))


def require_days_left(uow: UnitOfWork, workspace: Workspace) -> None:
    """Check that no nudge is set to after the week's last working day, when it would never be sent.

    Raises:
        Refusal: one is, for the workspace or for an adoption; the sentence names each.
    """
    of_workspace, days = workspace_hours(workspace), working_days(workspace)
    lost = {row.kind: row.title for row, _ in _lost(_effective(of_workspace), days)}
    for adoption in adoptions.with_hours(uow):
        own = _effective(of_workspace | adoption_hours(adoption.hours, of_workspace))
        lost = {row.kind: f"{row.title} ({hour} in an adoption)" for row, hour in _lost(own, days)} | lost
    if lost:
        raise Refusal(
            say(
                "These would come after the week's last working day ({last}): {titles}. Choose one of {days}.",
                last=DAY_NAMES[max(days)],
                titles=", ".join(lost.values()),
                days=", ".join(DAY_NAMES[day] for day in sorted(days)),
            ),
            field=FIELD,
        )


def _lost(hours: Hours, days: frozenset[int]) -> list[tuple[Nudge, Hour]]:
    return [
        (row, hours[row.kind])
        for row in SETTABLE
        if row.timing is Timing.WEEKLY and hours[row.kind].weekday > max(days)
    ]


def _own(adoption: Adoption, of_workspace: Hours) -> dict[str, Hour]:
    return adoption_hours(adoption.hours, of_workspace)


def _wanted(
    given: Hours, before: Hours, inherited: Hours, days: frozenset[int], *, of_adoption: bool
) -> dict[str, Hour]:
    """Every hour as it will be; changed ones are checked."""
    kinds = {row.kind for row in settable(of_adoption=of_adoption)}
    wanted = dict(inherited)
    for kind in sorted(kinds & given.keys()):
        wanted[kind] = Hour(given[kind].weekday, given[kind].at)
        row = BY_KIND[kind]
        is_new = wanted[kind][:2] != before[kind][:2]
        if is_new and row.timing is Timing.WEEKLY and wanted[kind].weekday not in days:
            raise Refusal(
                say(
                    "{title}: {day} isn't a working day here. Choose one of {days}.",
                    title=row.title[:1].upper() + row.title[1:],
                    day=DAY_NAMES[wanted[kind].weekday],
                    days=", ".join(DAY_NAMES[day] for day in sorted(days)),
                ),
                field=FIELD,
            )
        if is_new:
            _require_by_day(row.title, wanted[kind])
    _require_in_order(wanted, "")
    return wanted


def _require_by_day(title: str, hour: Hour) -> None:
    try:
        read_hour(str(hour), BY_KIND["checkin"])
    except HourRefused as wrong:
        raise Refusal(f"{title}: {wrong.reason}; {wrong.right}.", field=FIELD) from None


def _require_in_order(hours: Hours, before: str) -> None:
    try:
        require_in_order(hours)
    except HourRefused as wrong:
        said = f"{before}{wrong.reason}; {wrong.right}."
        raise Refusal(said[:1].upper() + said[1:], field=FIELD) from None


def _stored(
    stored: Mapping[str, Any], before: Hours, wanted: Hours, inherited: Hours, *, now: datetime
) -> dict[str, Any]:
    """The hours to store: only those that differ from the inherited ones, and since when."""
    kept = dict(stored)
    for kind, hour in wanted.items():
        if hour[:2] == before[kind][:2]:
            continue
        kept[kind] = {"since": now.isoformat()}
        if hour[:2] != inherited[kind][:2]:
            kept[kind] |= {"weekday": hour.weekday, "at": f"{hour.at:%H:%M}"}
    return kept


def _record(uow: UnitOfWork, subject: str, before: Hours, after: Hours) -> None:
    changed = [kind for kind in after if after[kind][:2] != before[kind][:2]]
    if not changed:
        return
    uow.record(
        action="hours-set",
        subject=subject,
        before={BY_KIND[kind].title: str(before[kind]) for kind in changed},
        after={BY_KIND[kind].title: str(after[kind]) for kind in changed},
    )
