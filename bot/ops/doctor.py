"""`cadence doctor`: what is missing before the bot can work."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import available_timezones

import psycopg

from bot.delivery.gateway import Gateway
from bot.ops import doctor_slack, doctor_workspaces
from bot.ops.doctor_api import public_address
from bot.ops.findings import Finding, printable, slack_sentence
from bot.ops.manifest import ENDPOINT, INSTALL
from bot.settings import SLACK_API, Settings
from cadence.flows.people import valid_zone
from cadence.flows.workspaces import Checkup, MemberFound, TeamFound, WorkspaceFound, checkup
from storage.engine import Database

__all__ = ["Finding", "examine", "slack_sentence"]


def _now() -> datetime:
    return datetime.now(UTC)


def examine(settings: Settings, *, clock: Callable[[], datetime] = _now) -> list[Finding]:
    """Check settings, database, Slack and people; changes nothing and posts nothing.

    Returns:
        The findings in the order in which to fix them. They never contain a token.
    """
    found = checkup(settings.database)
    if settings.several:
        return _examine_several(settings, found, clock)
    gateway, identity, connected = doctor_slack.connect(settings)
    findings = [*_mode(settings), *_database(settings, found), *_zone_data(), *connected]
    findings += public_address(settings)
    if settings.slack_app_token is not None:
        findings.append(doctor_slack.app_token(settings, settings.slack_app_token))
    if gateway is not None and identity is not None:
        findings += [*doctor_slack.scopes(identity), *doctor_slack.time_apart(gateway, clock)]
    ours = [one for one in found.workspaces if identity is None or one.id == identity.team_id]
    if identity is not None and not ours and not found.trouble and not found.pending:
        findings.append(
            Finding(True, "Nothing is stored about this workspace yet. That changes when the bot starts.")
        )
    for workspace in ours:
        findings += _workspace(settings, workspace, gateway if identity else None)
    return list(dict.fromkeys(_clean(finding, settings) for finding in findings))


def _examine_several(settings: Settings, found: Checkup, clock: Callable[[], datetime]) -> list[Finding]:
    """The same for every workspace that has installed the bot."""
    findings = [*doctor_workspaces.mode(settings), *_database(settings, found), *_zone_data()]
    findings += public_address(settings)
    looked = doctor_workspaces.look(settings, found, clock)
    known = {one.id: one for one in found.workspaces}
    for one in looked:
        findings += one.findings
        stored = known[one.installed.workspace_id]
        findings += [
            finding
            if stored.name in finding.what
            else replace(finding, what=f"{stored.name}: {finding.what}")
            for finding in _workspace(settings, stored, one.gateway)
        ]
    if not looked and not found.trouble and not found.pending:
        findings.append(
            Finding(
                False,
                "No workspace has installed the bot yet.",
                f"Open {INSTALL} at the bot's public address.",
            )
        )
    tokens = [secret for one in looked for secret in (one.installed.token, one.installed.refresh_token or "")]
    return list(dict.fromkeys(_clean(finding, settings, *tokens) for finding in findings))


def _clean(finding: Finding, settings: Settings, *tokens: str) -> Finding:
    """Remove secrets and control characters from the answers of servers and files."""
    what, remedy = printable(finding.what), printable(finding.remedy)
    secrets = (
        settings.slack_bot_token,
        settings.slack_app_token,
        settings.slack_signing_secret,
        settings.slack_client_secret,
    )
    set_here = [secret.get_secret_value().strip() for secret in secrets if secret is not None]
    for hidden in (*set_here, *tokens):
        if hidden:
            what, remedy = what.replace(hidden, "…"), remedy.replace(hidden, "…")
    return replace(finding, what=what, remedy=remedy)


def _mode(settings: Settings) -> Iterator[Finding]:
    socket, http = settings.slack_app_token is not None, settings.slack_signing_secret is not None
    if settings.slack_client_id is not None:
        yield Finding(True, "SLACK_CLIENT_ID isn't used: SLACK_BOT_TOKEN names the one workspace.")
    if settings.embedded:
        yield Finding(True, "Mode: the built-in workspace, because SLACK_BOT_TOKEN isn't set.")
        if settings.slack_api_url != SLACK_API:
            yield Finding(
                False,
                "SLACK_API_URL is set, but without SLACK_BOT_TOKEN the bot doesn't use it.",
                "Set SLACK_BOT_TOKEN too, or remove SLACK_API_URL.",
            )
    elif socket and http:
        yield Finding(
            True,
            "Mode: Socket Mode with `cadence run`, HTTP with `cadence web`. The app's page says which one is on.",
        )
    elif socket:
        yield Finding(True, "Mode: Socket Mode. `cadence run` does everything; no public address is needed.")
    elif http:
        yield Finding(
            True, f"Mode: HTTP. `cadence web` takes Slack's requests at {ENDPOINT}; `cadence worker` sends."
        )
    else:
        yield Finding(
            False,
            "The bot can send to Slack but not receive: SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are missing.",
            "Set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for HTTP; “Basic Information” has both.",
        )


def _database(settings: Settings, found: Checkup) -> Iterator[Finding]:
    name = f"Database ({found.kind})" if found.kind else "Database"
    if found.trouble:
        where = "DATABASE_URL" if settings.database_url else "CADENCE_DATA"
        yield Finding(False, f"{name}: it can't be used, {found.trouble}.", f"Check {where}.")
    elif not found.there:
        yield Finding(True, f"{name}: it doesn't exist yet. The first start creates it.")
    elif found.pending:
        count = "1 migration is" if len(found.pending) == 1 else f"{len(found.pending)} migrations are"
        yield Finding(False, f"{name}: {count} pending.", "Run `cadence migrate`.")
    else:
        yield Finding(True, f"{name}: reachable and up to date.")
        if found.kind == "PostgreSQL":
            yield from _durability(found)
            yield _queue(settings)


def _durability(found: Checkup) -> Iterator[Finding]:
    """Whether the server keeps confirmed data when it crashes."""
    if found.forgetful:
        yield Finding(
            False,
            f"PostgreSQL can lose confirmed data in a crash (off: {', '.join(found.forgetful)}). "
            "Messages could then be sent twice, and answers lost.",
            "Turn them on with ALTER SYSTEM or in postgresql.conf, then reload: SELECT pg_reload_conf().",
        )


def _queue(settings: Settings) -> Finding:
    """Whether Procrastinate's tables exist, in the version that this process runs."""
    from bot.runtime.queue_runner import SCHEMA, is_prepared  # noqa: PLC0415 - SQLite needs none of it

    db = Database(settings.database)
    try:
        is_there = is_prepared(db)
    except psycopg.Error as broken:
        return Finding(False, f"Queue: it can't be checked ({type(broken).__name__}).", "Check DATABASE_URL.")
    finally:
        db.close()
    if is_there:
        return Finding(True, f"Queue: its tables exist ({SCHEMA}).")
    what = f"Queue: the tables of this version are missing ({SCHEMA}); no worker starts without them."
    return Finding(False, what, "Run `cadence migrate`. Workers of an older version keep running.")


def _zone_data() -> Iterator[Finding]:
    if not available_timezones():
        yield Finding(False, "This machine has no time zone data.", "Install the Python package tzdata.")


def _workspace(settings: Settings, workspace: WorkspaceFound, gateway: Gateway | None) -> Iterator[Finding]:
    yield from _curators(settings, workspace)
    if not workspace.teams:
        yield Finding(True, f"{workspace.name} has no team yet. Create one with `/cadence team create`.")
    described: Mapping[str, MemberFound] = {}
    nobody: set[str] = set()
    if gateway is not None:
        yield from doctor_slack.channels(gateway, workspace)
        everybody = [member for team in workspace.teams for member in team.members]
        described, nobody = doctor_slack.describe(gateway, everybody)
    for team in workspace.teams:
        members = [described.get(member.member, member) for member in team.members]
        yield from _team(team)
        yield from _members(team, members, nobody)


def _curators(settings: Settings, workspace: WorkspaceFound) -> Iterator[Finding]:
    name = workspace.name
    if not any(not curator.deleted for curator in workspace.curators):
        named = ", ".join(_named(settings, workspace.id))
        first = f"{named} (from CADENCE_CURATORS)" if named else "A workspace admin"
        yield Finding(False, f"{name} has no curator.", f"{first} can name one with `/cadence settings`.")
    elif workspace.curator_channel is None:
        yield Finding(
            False, f"{name} has no curator channel for the digest.", "Choose one with `/cadence settings`."
        )
    if valid_zone(workspace.timezone) is None:
        yield Finding(
            False,
            _unknown_zone(name, workspace.timezone),
            "Choose another with `/cadence settings`.",
        )


def _named(settings: Settings, workspace_id: str) -> list[str]:
    """The members that CADENCE_CURATORS names in a workspace."""
    parted = [one.rpartition(":") for one in settings.cadence_curators]
    return [member for where, _, member in parted if where in ("", workspace_id)]


def _team(team: TeamFound) -> Iterator[Finding]:
    change = f"Change the team with `/cadence team create {team.slug}`."
    if team.reporter is None:
        yield Finding(False, f"{team.title} has no KPI reporter.", f"Choose a reporter. {change}")
    if valid_zone(team.timezone) is None:
        yield Finding(False, _unknown_zone(team.title, team.timezone), change)


def _unknown_zone(name: str, timezone: str) -> str:
    return (
        f"{name} has a time zone this machine doesn't know: {timezone}."
        if timezone
        else f"{name} has no time zone."
    )


def _members(team: TeamFound, members: list[MemberFound], nobody: set[str]) -> Iterator[Finding]:
    take_out = f"Remove them with `/cadence team create {team.slug}`, or import a corrected workspace file."
    gone = [f"{member.name} ({member.member})" for member in members if member.deleted]
    unknown = [member.member for member in members if member.member in nobody]
    silent = [member for member in members if not member.known and member.member not in nobody]
    if not members:
        yield Finding(False, f"{team.title} has no members.", "They join with `/cadence team join`.")
    if gone:
        yield Finding(False, f"{team.title}: deactivated in Slack: {', '.join(gone)}.", take_out)
    if unknown:
        yield Finding(False, f"{team.title}: Slack doesn't know {', '.join(unknown)}.", take_out)
    if silent:
        yield Finding(
            True,
            f"{team.title}: {len(silent)} of its members aren't known yet. The bot looks them up when it runs.",
        )
