"""The workspace's settings: curators, their channel, the time zone, the rule."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from cadence.documents.places import is_timezone
from cadence.flows.callers import Caller, is_curator, require_curator
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.verdicts import Rule
from storage import people, trail
from storage.engine import Database
from storage.tables import Workspace
from templates.contexts.forms import SettingsForm
from templates.contexts.playbooks import SettingsSaved


@dataclass(frozen=True, slots=True)
class SettingsGiven:
    """Settings as someone filled them in."""

    curators: tuple[str, ...]
    curator_channel: str | None
    timezone: str
    rule: str


def settings_form(db: Database, caller: Caller, *, named: frozenset[str], now: datetime) -> SettingsForm:
    """The settings form, for curators; in a workspace without any, for its first one.

    `named` are the members whom the installation names as curators.

    Raises:
        NotAllowed: everybody else.
    """
    with db.write() as session:
        workspace = _workspace(session, caller, now=now)
        _require_may_set(session, caller, named)
        curators = people.curators(session, workspace_id=workspace.id)
        return SettingsForm(
            timezone=workspace.timezone,
            rule=workspace.rule,
            curators=tuple(curators) or (caller.member,),
            curator_channel=workspace.curator_channel,
        )


def _workspace(session: Session, caller: Caller, *, now: datetime) -> Workspace:
    row = people.workspace(session, workspace_id=caller.workspace_id)
    if row is None:
        row = Workspace(id=caller.workspace_id, created_at=now)
        session.add(row)
        session.flush()
    return row


def _require_may_set(session: Session, caller: Caller, named: frozenset[str]) -> None:
    """The first to set a workspace up is one of its admins or somebody the installation names."""
    if is_curator(session, caller) or {caller.member, f"{caller.workspace_id}:{caller.member}"} & named:
        return
    member = people.member(session, workspace_id=caller.workspace_id, member_id=caller.member)
    first = not people.curators(session, workspace_id=caller.workspace_id)
    if first and member is not None and member.is_admin:
        return
    require_curator(session, caller, to="change the settings")


def save_settings(
    db: Database, caller: Caller, given: SettingsGiven, *, named: frozenset[str], now: datetime
) -> SettingsSaved:
    """Save the settings; what was before stays in the trail.

    Raises:
        Refusal: no curator left, an unknown time zone or rule.
        NotAllowed: the caller may not.
    """
    if not given.curators:
        raise Refusal("A workspace needs at least one curator.", field="curators")
    if given.rule not in set(Rule):
        raise Refusal("Choose one of the three rules.", field="rule")
    if not is_timezone(given.timezone):
        raise Refusal(
            say(
                "{zone} is no time zone. Write one such as {right}.",
                zone=code(given.timezone),
                right=code("Europe/Berlin"),
            ),
            field="timezone",
        )
    with db.write() as session:
        workspace = _workspace(session, caller, now=now)
        session.refresh(workspace, with_for_update=True)  # settings are saved one after the other
        _require_may_set(session, caller, named)
        before = _as_data(session, workspace)
        people.set_curators(session, workspace_id=workspace.id, members=given.curators, now=now)
        workspace.curator_channel = given.curator_channel
        workspace.timezone, workspace.rule = given.timezone, Rule(given.rule)
        session.add(workspace)
        session.flush()
        trail.record(
            session,
            workspace_id=workspace.id,
            at=now,
            member=caller.member,
            action="settings",
            subject=f"workspace:{workspace.id}",
            surface=caller.surface,
            before=before,
            after=_as_data(session, workspace),
            correlation_id=caller.request,
        )
        return SettingsSaved(
            curators=given.curators,
            timezone=given.timezone,
            rule=given.rule,
            curator_channel=given.curator_channel,
        )


def _as_data(session: Session, workspace: Workspace) -> dict[str, object]:
    return {
        "curators": people.curators(session, workspace_id=workspace.id),
        "curator_channel": workspace.curator_channel,
        "timezone": workspace.timezone,
        "rule": workspace.rule.value,
    }
