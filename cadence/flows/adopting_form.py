"""The form that brings a playbook to another team."""

from sqlmodel import Session

from cadence.flows.adopting import require_adoptable, wish
from cadence.flows.callers import Caller, require_owner_or_curator
from cadence.flows.lookups import require_playbook
from cadence.flows.runs import require_workspace
from cadence.refusals import Refusal
from storage import people, playbooks, versions
from storage.engine import Database
from storage.tables import Playbook, PlaybookState
from templates.contexts.base import Choice
from templates.contexts.spreading import AdoptForm


def adopt_form(
    db: Database,
    caller: Caller,
    *,
    playbook: str | None,
    team: str | None = None,
    champion: str | None = None,
) -> AdoptForm:
    """The form to bring a playbook to a team, with what is known; the teams without it come first.

    Raises:
        NotAllowed: neither the playbook's owner nor a curator.
        Refusal: there is no playbook that can be taken up, or no team.
    """
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        if playbook is not None:
            row = require_playbook(session, workspace.id, playbook)
            require_owner_or_curator(session, caller, owner=row.owner, to=wish(row))
            require_adoptable(row)
        every = playbooks.playbooks(session, workspace_id=workspace.id)
        ready = [row for row in every if row.state not in (PlaybookState.DRAFT, PlaybookState.RETIRED)]
        if not ready:
            raise Refusal(
                "No team has run a playbook yet, so there is nothing to hand on. "
                "`/cadence cycle start` starts the first team's cycle."
            )
        teams = people.teams(session, workspace_id=workspace.id)
        if not teams:
            raise Refusal("There's no team yet. `/cadence team create` makes the first one.")
        mine = [row for row in ready if row.owner == caller.member]
        chosen = playbook or (mine[0].slug if len(mine) == 1 else None)
        chosen = chosen or (ready[0].slug if len(ready) == 1 else None)
        having = _having(session, workspace.id, next((row for row in ready if row.slug == chosen), None))
        here = next(
            (one.slug for one in teams if one.channel == caller.channel and one.id not in having), None
        )
        ordered = sorted(teams, key=lambda one: (one.id in having, one.title))
        return AdoptForm(
            playbooks=tuple(
                Choice(label=row.title, value=row.slug)
                for row in sorted(ready, key=lambda row: (row.owner != caller.member, row.slug))
            ),
            teams=tuple(Choice(label=one.title, value=one.slug) for one in ordered),
            playbook=chosen,
            team=team or here,
            champion=champion,
        )


def _having(session: Session, workspace_id: str, playbook: Playbook | None) -> set[int | None]:
    """The teams that have a playbook already."""
    if playbook is None:
        return set()
    return {
        team.id
        for _, team in versions.adopters(session, workspace_id=workspace_id, playbook_id=playbook.id or 0)
    }
