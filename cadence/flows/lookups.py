"""Find a playbook or a team by its slug, or say which one was probably meant."""

from sqlmodel import Session

from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Unknown
from storage import people, playbooks
from storage.tables import Playbook, Team


def require_playbook(session: Session, workspace_id: str, slug: str) -> Playbook:
    """A playbook by its slug.

    Raises:
        Unknown: there is none; the nearest is named.
    """
    found = playbooks.by_slug(session, workspace_id=workspace_id, slug=slug)
    if found is not None:
        return found
    slugs = [row.slug for row in playbooks.playbooks(session, workspace_id=workspace_id)]
    guess = nearest(slug, slugs)
    if guess:
        text = say("There's no playbook {slug}. Did you mean {guess}?", slug=code(slug), guess=code(guess))
    elif slugs:
        text = say("There's no playbook {slug}. `/cadence playbook list` shows them all.", slug=code(slug))
    else:
        text = say("There's no playbook yet. `/cadence playbook import` takes the first one.")
    raise Unknown(text, field="playbook")


def require_team(session: Session, workspace_id: str, slug: str) -> Team:
    """A team by its slug.

    Raises:
        Unknown: there is none; the nearest is named.
    """
    found = people.team_by_slug(session, workspace_id=workspace_id, slug=slug)
    if found is not None:
        return found
    guess = nearest(slug, [team.slug for team in people.teams(session, workspace_id=workspace_id)])
    hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
    raise Unknown(
        say("There's no team {slug}.{hint} `/cadence team create` makes one.", slug=code(slug), hint=hint),
        field="team",
    )
