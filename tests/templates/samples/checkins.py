from dataclasses import replace

from templates.contexts.base import MessageContext
from templates.contexts.checkins import (
    Answer,
    CheckinMessage,
    CheckinMoved,
    CheckinReminder,
    CheckinRow,
    Drift,
    KpiMissing,
    RunsDiffer,
    RunsSideBySide,
    WhoIsMissing,
)
from templates.contexts.numbers import Guardrail
from tests.templates.samples.common import CSAT, KPI, MONDAY, NO_VALUE, STEPS, THURSDAY, WEEK

OPEN = CheckinRow(
    slug="support-reply",
    adoption_id=7,
    week_start=WEEK,
    playbook="Support reply",
    team="Support EMEA",
    week=2,
    steps=STEPS,
    exceptions=3,
    kpi=KPI,
    reporter=True,
)
RAN = Answer(attestation="as-declared", answered_at=THURSDAY, runs=14, kpi=22, inputs_complete=13)
RAILS = (
    Guardrail(name="CSAT", unit="score", direction="higher", limit=4.6, value=4.5, held=False),
    Guardrail(name="Reopen rate", unit="percent", direction="lower", limit=5, value=3, held=True),
)
DRIFTED = Answer(
    attestation="drifted",
    answered_at=THURSDAY,
    runs=1,
    drifts=(Drift(step="Send the edited reply", mode="human-led"),),
    note="The tone guide was out of date.\nWe edited each one.",
)
NOT_RUN = Answer(attestation="not-run", answered_at=THURSDAY, runs=0)
OTHER = replace(
    OPEN,
    adoption_id=8,
    playbook="Refund decision",
    team="Billing",
    week=None,
    exceptions=1,
    kpi=replace(CSAT, value=None),
    reporter=False,
)
MISSING = WhoIsMissing(
    adoption_id=7,
    week_start=WEEK,
    playbook="Support reply",
    team="Support EMEA",
    week=2,
    expected=6,
    missing=("U01AGENT1", "U01AGENT2"),
)
DIFFER = RunsDiffer(
    slug="support-reply",
    playbook="Support reply",
    team="Support EMEA",
    week=2,
    week_start=MONDAY,
    rows=(
        RunsSideBySide(name="Mehmet Yılmaz", reported=14, measured=19),
        RunsSideBySide(name="Jo", reported=0, measured=7),
    ),
)

SAMPLES: dict[str, MessageContext] = {
    "checkin": CheckinMessage(rows=(OPEN,)),
    "checkin-first-week": CheckinMessage(rows=(replace(OPEN, week=1),)),
    "checkin-last-week": CheckinMessage(rows=(OPEN,), last_week=True),
    "checkin-no-number": CheckinMessage(rows=(replace(OPEN, kpi=NO_VALUE, reporter=False, exceptions=0),)),
    "checkin-answered": CheckinMessage(rows=(replace(OPEN, answer=RAN),)),
    "checkin-answered-otherwise": CheckinMessage(rows=(replace(OPEN, answer=replace(RAN, counted=19)),)),
    "checkin-answered-guardrails": CheckinMessage(
        rows=(replace(OPEN, answer=replace(RAN, guardrails=RAILS)),)
    ),
    "checkin-answered-corrected": CheckinMessage(
        rows=(
            replace(
                OPEN,
                answer=replace(
                    RAN,
                    kpi_from="U01AGENT1",
                    guardrails=(replace(RAILS[0], given_by="U01AGENT2"), *RAILS[1:]),
                ),
            ),
        )
    ),
    "checkin-drifted": CheckinMessage(rows=(replace(OPEN, answer=DRIFTED),)),
    "checkin-not-run": CheckinMessage(rows=(replace(OPEN, answer=NOT_RUN),)),
    "checkin-several": CheckinMessage(rows=(replace(OPEN, answer=RAN), OTHER, replace(OPEN, adoption_id=9))),
    "checkin-last-of-several": CheckinMessage(rows=(OTHER, replace(OPEN, answer=RAN))),
    "checkin-all-answered": CheckinMessage(
        rows=(replace(OPEN, answer=RAN), replace(OTHER, answer=NOT_RUN), replace(OPEN, answer=DRIFTED))
    ),
    "checkin-reminder": CheckinReminder(rows=(OPEN,)),
    "checkin-snoozed": CheckinMessage(rows=(OPEN,), snoozed_until=THURSDAY),
    "checkin-closed": CheckinMessage(rows=(OPEN,), closed=True),
    "checkin-closed-late": CheckinMessage(
        rows=(replace(OPEN, late_until=THURSDAY.date(), home_until=THURSDAY.date()),),
        closed=True,
        snoozed_until=THURSDAY,
    ),
    "checkin-closed-while-paused": CheckinMessage(
        rows=(replace(OPEN, late_until=THURSDAY.date()),), closed=True
    ),
    "checkin-paused": CheckinMessage(rows=(replace(OPEN, resumes="U01LEAD", late_until=THURSDAY.date()),)),
    "checkin-paused-of-several": CheckinMessage(
        rows=(replace(OPEN, answer=RAN), replace(OTHER, resumes="U01LEAD"), replace(OPEN, adoption_id=9))
    ),
    "checkin-paused-and-answered": CheckinMessage(
        rows=(replace(OPEN, answer=RAN), replace(OTHER, resumes="U01LEAD"))
    ),
    "checkin-closed-several": CheckinMessage(rows=(replace(OPEN, answer=RAN), OTHER), closed=True),
    "checkin-moved": CheckinMoved(
        playbook="Support reply", week=2, permalink="https://example.slack.com/archives/D01/p1766000000"
    ),
    "checkin-moved-answered": CheckinMoved(answered=True),
    "checkin-gone": CheckinMoved(gone=True),
    "checkin-reminder-several": CheckinReminder(rows=(OPEN, OTHER)),
    "kpi-missing": KpiMissing(
        adoption_id=7,
        week_start=WEEK,
        slug="support-reply",
        playbook="Support reply",
        team="Support EMEA",
        week=2,
        kpi=NO_VALUE,
    ),
    "kpi-missing-closed": KpiMissing(
        adoption_id=7,
        week_start=WEEK,
        slug="support-reply",
        playbook="Support reply",
        team="Support EMEA",
        week=2,
        kpi=NO_VALUE,
        closed=True,
    ),
    "kpi-missing-reported": KpiMissing(
        adoption_id=7,
        week_start=WEEK,
        slug="support-reply",
        playbook="Support reply",
        team="Support EMEA",
        week=2,
        kpi=NO_VALUE,
        reported=14,
    ),
    "runs-differ": DIFFER,
    "runs-differ-of-the-team": replace(
        DIFFER, week=None, rows=(RunsSideBySide(name="", reported=40, measured=1_204),)
    ),
    "who-is-missing": MISSING,
    "who-is-missing-one": replace(MISSING, missing=("U01AGENT1",), away=("U01AGENT2",), nudged_at=THURSDAY),
    "who-is-missing-and-own": replace(MISSING, own=True),
    "who-is-missing-measured": replace(MISSING, estimated=False),
    "who-is-missing-own": replace(MISSING, missing=(), own=True),
    "who-is-missing-closed": replace(MISSING, closed=True),
    "who-is-missing-none": replace(MISSING, missing=()),
}
