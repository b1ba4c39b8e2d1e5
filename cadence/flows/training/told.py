"""The message that a champion is trained, once for each champion of an adoption."""

from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    Skip,
    adoption_about,
    rewrite_setup,
    tell,
)
from cadence.flows.lessons import recent
from cadence.flows.training.progress import in_wave, start_offer, training_of
from cadence.nudges import Unless
from cadence.refusals import Offer
from storage.queries import cycles
from storage.tables import OutboxMessage, PlaybookState
from storage.work import UnitOfWork
from templates.contexts.training import ChampionTrained
from templates.ids import Action

TRAINED = "champion-trained"


def tell_when_trained(uow: UnitOfWork, view: AdoptionView) -> None:
    """Tell the champion and the owner once the champion is trained; where nothing is asked of them, nobody is.
    The messages on the setup say what is left until then.

    Training is asked of champions of teams in waves, and of every champion once the playbook has samples.
    """
    if in_wave(uow, view) and view.cycle is None:
        rewrite_setup(uow, view, mark=f"training:{uow.actor.request}")
    found = training_of(uow, view)
    if not found.trained or found.champion is None or not (found.samples or in_wave(uow, view)):
        return
    slot = f"{view.id}:{found.champion}"
    if uow.messages(TRAINED, slot):
        return
    subject = {"adoption": view.id, "champion": found.champion}
    tell(uow, [found.champion, view.playbook.owner], kind=TRAINED, slot=slot, subject=subject)
    uow.record(
        action=TRAINED,
        subject=f"adoption:{view.id}",
        after={"champion": found.champion, "samples": found.samples, "agreed": found.agreed},
        surface="rule",
    )


def _trained(uow: UnitOfWork, message: OutboxMessage) -> ChampionTrained | Skip:
    view = adoption_about(uow, message)
    if view.playbook.state is PlaybookState.RETIRED:
        return Skip(Unless.RETIRED)
    return champion_trained(uow, message)


def champion_trained(uow: UnitOfWork, message: OutboxMessage) -> ChampionTrained:
    """The message, with the button that starts the first cycle for the owner."""
    view = adoption_about(uow, message)
    found = training_of(uow, view)
    started = bool(cycles.cycles_of(uow, adoption_id=view.id))
    owner = view.playbook.owner
    offers = (
        *((start_offer(view),) if message.recipient == owner and not started else ()),
        Offer("Show the playbook", Action.SHOW_PLAYBOOK, view.playbook.slug),
    )
    return ChampionTrained(
        playbook=view.playbook.title,
        team=view.team.title,
        champion=str(message.subject["champion"]),
        owner=owner,
        samples=found.samples,
        agreed=found.agreed,
        lessons=bool(recent(uow, playbook_id=view.playbook.id or 0, limit=1, but_of=view.id)),
        started=started,
        offers=offers,
    )


KINDS = (MessageKind(TRAINED, _trained, unless=(Unless.RETIRED,)),)
