"""The command line's work on the database: import, export, plan, migrate."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from bot.delivery.gateway import Gateway
from bot.ops.files import unreadable
from bot.ops.findings import printable
from bot.ops.manifest import INSTALL
from bot.settings import Settings, SettingsRefused
from cadence.actor import Actor
from cadence.documents import DocumentRefused, Problem, WorkspaceSpec, read_document
from cadence.flows.history import export_folder
from cadence.flows.people import WorkspaceImported, ensure_workspace, export_workspace, workspace_ids
from cadence.flows.playbooks import export_playbook, import_document
from cadence.flows.workspaces import checkup, count_rows, forget
from cadence.refusals import Refusal
from storage.engine import Database, keep_folder_private, keep_private, sqlite_file
from storage.migrate import Newer, differences, migrate, pending
from storage.patience import JOB, Patience
from storage.work import UnitOfWork
from templates.contexts.playbooks import PlaybookImported
from templates.filters import plural

BUILT_IN_TEAM = "T01SANDBOX"
"""The workspace ID of the built-in workspace."""
COMMAND_LINE = "command line"


def open_database(settings: Settings) -> Database:
    """Open the database without migrating it.

    Raises:
        SettingsRefused: it can't be used. Its URL isn't shown, because it may contain a password.
    """
    trouble = checkup(settings.database).trouble
    try:
        if not trouble:
            _keep_private(settings)
            return Database(
                settings.database,
                connections=settings.cadence_threads + 2,
                requests=Patience(settings.cadence_lock_timeout, settings.cadence_statement_timeout),
                jobs=Patience(JOB.lock, settings.cadence_job_timeout),
            )
    except OSError as unusable:
        trouble = unusable.strerror or type(unusable).__name__
    where = "DATABASE_URL" if settings.database_url else "CADENCE_DATA"
    raise SettingsRefused([f"The database can't be used: {trouble}. Check {where}."])


def _keep_private(settings: Settings) -> None:
    """Restrict the data folder, and a SQLite database elsewhere, to the bot's user."""
    keep_folder_private(settings.cadence_data)
    keep_private(settings.cadence_data / "workspace.db")
    file = sqlite_file(settings.database)
    if file is not None:
        keep_private(file)


def ready_database(settings: Settings) -> Database:
    """The migrated database; SQLite is migrated here, PostgreSQL by the release step.

    Raises:
        SettingsRefused: it can't be used.
        Refusal: PostgreSQL isn't migrated yet, or the database is newer than this version.
    """
    db = open_database(settings)
    if db.is_sqlite:
        bring_up(db)
    elif todo := len(pending(db)):
        what = "1 migration is" if todo == 1 else f"{todo} migrations are"
        raise Refusal(f"The database isn't up to date: {what} pending. Run `cadence migrate` first.")
    return db


def bring_up(db: Database) -> int:
    """Run the pending migrations; returns how many.

    Raises:
        Refusal: a newer version has migrated the database.
    """
    try:
        return migrate(db)
    except Newer:
        raise Refusal(
            "A newer version of Rollout Cadence has changed this database. "
            "Run that version, or use a copy from before."
        ) from None


def workspace_id(settings: Settings, db: Database, team_id: str | None = None) -> str:
    """The workspace of a command: the given one, the token's, the only one, else the built-in one.

    Raises:
        Refusal: there are several, or nobody has installed the bot yet. SlackError: the token is invalid, or
        Slack can't be reached.
    """
    if team_id is not None:
        return team_id
    if settings.slack_bot_token is not None:
        token = settings.slack_bot_token.get_secret_value()
        return Gateway(token=token, api_url=settings.slack_api_url).identity().team_id
    known = workspace_ids(db)
    if len(known) > 1:
        raise Refusal(f"Which workspace? Add --team-id with one of {', '.join(known)}.")
    if settings.several and not known:
        raise Refusal(f"No workspace has installed the bot yet. Open {INSTALL} at its public address.")
    return known[0] if known else BUILT_IN_TEAM


def _caller(workspace: str) -> Actor:
    return Actor(workspace, COMMAND_LINE, "cli", request="cli")


def import_files(
    settings: Settings, files: Sequence[Path], *, team_id: str | None = None, now: datetime | None = None
) -> tuple[list[str], list[str]]:
    """Import files, workspace files first; returns what was done and every problem of refused files."""
    with closing(ready_database(settings)) as db:
        moment = now or datetime.now().astimezone()
        workspace = workspace_id(settings, db, team_id)
        ensure_workspace(UnitOfWork(db, Actor.system(workspace), moment), name="")
        return import_into(db, workspace, files, now=moment)


def import_into(
    db: Database, workspace: str, files: Sequence[Path], *, now: datetime
) -> tuple[list[str], list[str]]:
    """Import files into a workspace; returns lines to show, and problems."""
    done: list[str] = []
    refused: list[str] = []
    texts: list[tuple[Path, str, bool]] = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
            texts.append((file, text, isinstance(read_document(text), WorkspaceSpec)))
        except OSError as missing:
            refused.append(unreadable(file, missing))
        except UnicodeDecodeError:
            refused.append(f"{file} isn't UTF-8 text.")
        except DocumentRefused as wrong:
            refused += [at_line(file, problem) for problem in wrong.problems]
    for file, text, _ in sorted(texts, key=lambda one: not one[2]):
        try:
            done.append(f"{file}: {_said(import_document(UnitOfWork(db, _caller(workspace), now), text))}")
        except Refusal as wrong:
            refused.append(f"{file}: {wrong.plain}")
    return done, refused


def at_line(file: Path, problem: Problem) -> str:
    """A problem in the format of editors and terminals: `support-reply.yaml:18: steps[1].mode: …`."""
    place = f"{file}:{problem.line}" if problem.line else f"{file}"
    where = f" {problem.where}:" if problem.where else ""
    return f"{place}:{where} {problem.reason}; {problem.right}"


def _said(imported: PlaybookImported | WorkspaceImported) -> str:
    if isinstance(imported, WorkspaceImported):
        return (
            f"{plural(len(imported.created), 'new team')}, {len(imported.changed)} changed, "
            f"{len(imported.unchanged)} unchanged; {plural(len(imported.curators), 'curator')}"
        )
    if not imported.new and not imported.changes:
        return f"{imported.title} is unchanged, revision {imported.version}"
    changes = f"; changed: {'; '.join(imported.changes)}" if imported.changes else ""
    return f"{imported.title}, revision {imported.version}{changes}"


def export_file(settings: Settings, playbook: str | None, *, team_id: str | None = None) -> str:
    """A playbook, or without a slug the workspace file, as YAML."""
    with closing(ready_database(settings)) as db:
        caller = _caller(workspace_id(settings, db, team_id))
        return (
            export_workspace(UnitOfWork(db, caller))
            if playbook is None
            else export_playbook(UnitOfWork(db, caller), playbook).yaml
        )


def export_csv(
    settings: Settings, folder: Path, slugs: Sequence[str], *, team_id: str | None = None
) -> Iterator[str]:
    """Export the records of some playbooks or of the whole workspace into a folder; returns a line per file.

    Raises:
        Refusal: there is no such playbook, or the folder can't be written to.
    """
    with closing(ready_database(settings)) as db:
        try:
            counts = export_folder(
                UnitOfWork(db, _caller(workspace_id(settings, db, team_id))), folder, slugs
            )
        except OSError as error:
            raise Refusal(
                f"{folder} can't be written to: {error.strerror or type(error).__name__}."
            ) from None
        for name, count in counts.items():
            yield f"{folder / name}: {count:,} {'row' if count == 1 else 'rows'}"


def migrate_database(settings: Settings) -> str:
    """Run the pending migrations."""
    with closing(open_database(settings)) as db:
        run, queue = bring_up(db), False
        if not db.is_sqlite:
            from bot.runtime.queue_runner import prepare  # noqa: PLC0415 - SQLite needs none of it

            queue = prepare(db)
    done = [f"{plural(run, 'migration')} run"] if run else []
    done += ["queue tables created"] if queue else []
    return f"{', '.join(done).capitalize()}." if done else "The database is up to date."


def forget_workspace(settings: Settings, workspace: str, *, really: bool) -> str:
    """Delete every row of a workspace that uninstalled the bot.

    Raises:
        Refusal: it isn't known or still has the bot, or `really` is False.
    """
    with closing(ready_database(settings)) as db:
        count, name = count_rows(UnitOfWork(db, Actor.system(workspace)))
        rows = f"{count:,} rows of {printable(name)} ({printable(workspace)})"
        if not really:
            raise Refusal(f"This deletes {rows} permanently. Add --yes to confirm.")
        forget(UnitOfWork(db, Actor.system(workspace)))
        return f"{rows} deleted. Backups still have them."


def check_migrations() -> str:
    """Migrate an empty database and compare it with the tables.

    Raises:
        Refusal: they differ.
    """
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/check.db")
        migrate(db)
        found = differences(db)
        db.close()
    if found:
        raise Refusal("Tables and migrations differ: " + "; ".join(str(one) for one in found))
    return "Tables and migrations agree."
