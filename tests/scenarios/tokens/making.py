"""Make tokens as people do."""

import re

from bot.rehearsal.harness import BotHarness
from bot.sandbox.server import SandboxServer
from bot.sandbox.views import View

TOKEN = re.compile(r"rc_[A-Z0-9]+_[a-z0-9]{10}_[A-Za-z0-9_-]{43}")


def made_token(
    harness: BotHarness | SandboxServer,
    member: str,
    *,
    name: str = "Help desk",
    use: str = "tool",
    playbook: str | None = None,
    team: str | None = None,
    scopes: tuple[str, ...] = ("write",),
) -> str:
    """The text of a token that somebody made by form in Slack."""
    person = harness.workspace.person(member)
    person.types("/cadence token")
    where = {key: value for key, value in (("playbook", playbook), ("team", team)) if value}
    shown = person.submits({"name": name, "use": use, "scopes": list(scopes), **where}).view
    assert isinstance(shown, View)
    found = TOKEN.search(shown.words)
    assert found, shown.words
    person.closes()
    return found[0]
