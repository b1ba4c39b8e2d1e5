"""Drafts that owners bring in through Slack."""

from bot.rehearsal.harness import BotHarness
from tests.scenarios.plays import REPLY

CASE = """
case: {frequency: 5, friction: 4, structure: 4, worth: {amount: 6, unit: minutes}}
"""
PILLARS = """
pillars:
  value_event: a reply sent that the customer did not reopen within seven days
  input_contract: ticket text, refreshed hourly; the queue pauses when it is missing
  output_trust: sources are linked on each draft, and low confidence goes to a person
  operational_owner: the support lead owns the rules, the exception queue, training and adoption
  replication_template: this playbook, its checklist and its graded examples
"""
LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


def bring_in(
    harness: BotHarness,
    more: str = CASE + PILLARS,
    *,
    slug: str = "reply",
    title: str = "Reply",
    by: str = LEAD,
) -> None:
    """Import a draft by form, as its owner."""
    text = REPLY.read_text(encoding="utf-8") + more
    text = text.replace("playbook: reply", f"playbook: {slug}").replace("title: Reply", f"title: {title}")
    person = harness.workspace.person(by)
    person.types("/cadence playbook import")
    done = person.submits({"yaml": text})
    assert not done.errors, done.errors
    person.closes()
