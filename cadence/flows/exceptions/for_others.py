"""Exceptions that a workflow logs for a person, who is told at once."""

from cadence.flows.core import MessageKind, Urgency, adoption_by_id, once, step_title, tell
from cadence.flows.exceptions.logging import ExceptionGiven, log_exception
from cadence.refusals import Refusal
from storage.queries import exceptions
from storage.tables import OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.exceptions import ExceptionLogged, LoggedForYou

KIND = "logged-for-you"


@once
def log_for(uow: UnitOfWork, given: ExceptionGiven) -> ExceptionLogged:
    """Log an exception for the caller, who didn't do it with their own hands: they are told, and can undo it.

    Raises: the same as `log_exception`.
    """
    with uow.write():
        answer = log_exception(uow, given)
        if not answer.duplicate:
            tell(uow, [uow.actor.member], kind=KIND, slot=answer.undo, subject={"exception": answer.undo})
        return answer


def logged_for_you(uow: UnitOfWork, message: OutboxMessage) -> LoggedForYou:
    """Tell a person about an exception that a workflow logged for them."""
    row = exceptions.exception(uow, exception_id=int(message.subject["exception"]))
    if row is None:
        raise Refusal("the exception no longer exists")
    view = adoption_by_id(uow, adoption_id=row.adoption_id)
    return LoggedForYou(
        playbook=view.playbook.title,
        team=view.team.title,
        step=step_title(view, row.step),
        step_ref=f"{view.id}:{row.step}",
        reason=row.reason,
        link=row.link,
        undo=str(row.id) if row.withdrawn_at is None else None,
    )


KINDS = (MessageKind(KIND, logged_for_you, rewrite=logged_for_you, urgency=Urgency.ANSWER),)
