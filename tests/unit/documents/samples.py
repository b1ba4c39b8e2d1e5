"""The two documents of the specification, and helpers for the tables of refusals."""

import pytest

from cadence.documents import DocumentRefused, Problem, read_document

PLAYBOOK = """\
playbook: support-reply            # slug, unique in the workspace
title: Support reply
function: support
owner: U01LEAD                     # Slack member ID
kpi:
  name: First response time
  unit: minutes                    # minutes hours days percent count currency score
  direction: lower                 # lower | higher
  baseline: 42
  target: 15
  window_days: 28                  # 14 to 30
  guardrails:                      # must not get worse; never counted as the KPI; at most 2
    - {name: CSAT, unit: score, direction: higher, limit: 4.6}
steps:
  - key: draft
    title: Draft three replies
    mode: collaborative
    fallback: human-led            # where a demotion lands; one level down when left out
    exception_cap: 0.10
    promote: {accuracy: 0.90, max_risk: 0.02, cycles: 2}
  - key: send
    title: Send the edited reply
    mode: ai-led
    fallback: collaborative
    exception_cap: 0.05
inputs: [ticket text, customer profile, policy constraints]
outputs: [sent reply, tagged ticket]
quality: [tone matches the guide, every claim is in the knowledge base]
rubric:
  threshold: 0.90                  # on the calibration set
  criteria: [tone, accuracy, policy adherence]
loop: Generate three drafts, edit, send, measure; refine prompts and rubric every Friday.
scale_rule: {cycles: 2}            # targets held this many cycles in a row
runs_per_week: 40                  # what a team expects to run; used until its check-ins say better
setup_minutes: 60                  # another team must be able to start within this
examples: [a worked example another team can follow]
checklist: [connect the ticket queue, load the policy file, grade 20 past replies]
fixed: [rubric, caps]              # what an adopting team may not change
adaptable: [tone guide]
handoffs:
  - {to: billing, inputs: [tagged ticket], outputs: [refund decision], sla_hours: 24,
     on_failure: reopen the ticket, fallback: human-led}
pillars:                           # answered before a pilot is approved; vague answers are refused
  value_event: a reply sent that the customer did not reopen
  input_contract: ticket text and customer profile, refreshed hourly; queue pauses when missing
  output_trust: confidence shown on each draft, sources linked, low confidence goes to a person
  operational_owner: the support lead owns rules, the exception queue, training and adoption
  replication_template: this playbook, its checklist and its graded examples
"""

WORKSPACE = """\
workspace:
  curators: [U01CURATOR]
  curator_channel: C01CURATORS
  timezone: Europe/Berlin
teams:
  - team: support-emea
    title: Support EMEA
    function: support
    region: EMEA
    channel: C01SUPEMEA
    timezone: Europe/Berlin        # for the channel; a member's own zone comes from Slack, else this
    country: DE                    # public holidays
    members: [U01LEAD, U01AGENT1, U01AGENT2]
    reporter: U01LEAD              # gives the KPI number
"""


def problems_of(text: str) -> tuple[Problem, ...]:
    """The problems of a document that must be refused."""
    with pytest.raises(DocumentRefused) as refused:
        read_document(text)
    return refused.value.problems


def edited(text: str, old: str, new: str) -> tuple[str, int]:
    """The text with its one `old` replaced, and the line where that stands."""
    assert text.count(old) == 1, old
    return text.replace(old, new), text[: text.index(old)].count("\n") + 1


def mistake(text: str) -> str:
    """A text as the name of a golden entry: in one line, and not too long."""
    return ascii(text.strip())[1:-1][:80].strip()


def told(problem: Problem) -> str:
    """What is wrong, and below it what to write instead."""
    return f"{problem.reason}\n{problem.right}"
