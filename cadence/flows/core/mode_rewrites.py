"""What shows who leads a step, once that has changed: open check-ins, and the post that opened the week."""

from cadence.flows.core.adoptions import TeamRun
from cadence.flows.core.expected import expected_members
from cadence.flows.core.messages import CHECKIN_KINDS, key
from storage.outbox import ledger
from storage.work import UnitOfWork


def rewrite_modes(uow: UnitOfWork, run: TeamRun, *, mark: str) -> None:
    """Owe this week's check-ins and opening post a rewrite to the modes that hold now."""
    week, where = run.week_start, run.workspace.id
    prefixes = [f"week-opens:{where}:{run.id}:{run.team.channel}:{week}"] + [
        key(kind, where, member, week)
        for member in expected_members(uow, run, week_start=week)
        for kind in CHECKIN_KINDS
    ]
    ledger.owe_rewrites(
        uow,
        messages=[sent for prefix in prefixes for sent in ledger.by_prefix(uow, prefix=prefix)],
        mark=mark,
    )
