"""Verdicts with their numbers, one after the other, for a transcript."""

from dataclasses import dataclass

from storage.queries import decisions
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One verdict with its numbers, for a transcript."""

    id: int
    playbook: str
    team: str
    step: str
    decision: str
    line: str
    lands_on: str | None
    exceptions: int
    runs: int
    attested: int
    assumed: int
    ratio: float
    cap: float
    probability: float
    demote_at: int | None


def verdicts_after(uow: UnitOfWork, *, after: int) -> list[VerdictLine]:
    """The verdicts after one of them, oldest first."""
    with uow.read():
        return [
            VerdictLine(
                id=row.id or 0,
                playbook=playbook,
                team=team,
                step=row.step,
                decision=row.decision,
                line=row.line,
                lands_on=row.lands_on,
                exceptions=row.exceptions,
                runs=max(row.attested + row.assumed, row.exceptions),
                attested=row.attested,
                assumed=row.assumed,
                ratio=row.ratio,
                cap=row.cap,
                probability=row.probability,
                demote_at=row.demote_at,
            )
            for row, playbook, team in decisions.verdicts_after(uow, after=after)
        ]
