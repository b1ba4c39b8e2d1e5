"""Record what tools report: each item on its own, many in one transaction.

A batch is carried out in parts, so that people's requests get in between. An item is stored with its result under its
id (table `request`), so that it counts once however often it is sent; its row's `source` is unique for ever.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

from cadence.flows.core import is_curator, named, require_owner_or_curator
from cadence.flows.machines.items import Item, ItemResult, Wrong, read_item
from cadence.flows.machines.places import Finder, Place, covered, source_of
from cadence.flows.machines.saving import SAVERS, Saved
from cadence.flows.numbers import require_team_member
from cadence.flows.tokens import TokenHolder
from cadence.refusals import NotAllowed, Refusal
from storage.engine import Conflict, is_busy, is_unreachable
from storage.queries import adoptions, machines, tokens
from storage.work import UnitOfWork

MOST_ITEMS: Final = 1_000
"""Items of one request."""
_TRIES: Final = 5
"""Transactions begun for one part, if others record the same items at the same time."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A valid item with its place in the request."""

    position: int
    item: Item

    @property
    def id(self) -> str:
        """The item's id."""
        return self.item.id or ""


Turn = Callable[[], AbstractContextManager[None]]
"""Opens around each transaction of a push, outside of it, once more urgent work has passed."""


def push(
    uow: UnitOfWork,
    holder: TokenHolder,
    kind: type[Item],
    values: Sequence[Any],
    *,
    key: str | None = None,
    turn: Turn = nullcontext,
) -> list[ItemResult]:
    """Record the items of a request; returns what became of each, in their order.

    Args:
        values: at most `MOST_ITEMS`, as parsed from JSON.
        key: the request's idempotency key: items without an id get `{key}:{position}`, counted from 0.
        turn: by default at once.

    Raises:
        Conflict, OperationalError: the database was busy before anything was recorded.
    """
    results: dict[int, ItemResult] = {}
    valid = []
    for at, value in enumerate(values):
        try:
            valid.append(Pushed(at, read_item(kind, value, otherwise=f"{key}:{at}" if key else None)))
        except Wrong as wrong:
            given = value.get("id") if isinstance(value, dict) else None
            results[at] = _refused(given if isinstance(given, str) else "", wrong)
    _group(valid)
    size = SAVERS[kind].part
    parts = [valid[start : start + size] for start in range(0, len(valid), size)]
    for number, part in enumerate(parts):
        try:
            with turn():
                results |= _retried(uow, lambda part=part: _carry_out(uow, holder, kind, part))  # type: ignore[misc]
        except Exception as error:
            if not number or not (isinstance(error, Conflict) or is_busy(error) or is_unreachable(error)):
                raise
            late = Wrong("busy", "We're busy, and this item wasn't recorded. Send it again in a moment.")
            results |= {one.position: _refused(one.id, late) for rest in parts[number:] for one in rest}
            break
    return [results[at] for at in range(len(values))]


def _group(items: list[Pushed]) -> None:
    """Bring a team's items together, whose steps are then judged once rather than in each part.

    Items of the same team keep their order. Where some leave out a name, which team they mean is known only later, so
    all stay where they are.
    """
    if len({(one.item.playbook is None, one.item.team is None) for one in items}) == 1:
        items.sort(key=lambda one: (one.item.playbook or "", one.item.team or ""))


def _retried(uow: UnitOfWork, run: Callable[[], dict[int, ItemResult]]) -> dict[int, ItemResult]:
    for _ in range(_TRIES - 1):
        try:
            return run()
        except Conflict:  # a copy of an item was faster: now it is found
            uow.facts.clear()
    return run()


def _carry_out(
    uow: UnitOfWork, holder: TokenHolder, kind: type[Item], part: Sequence[Pushed]
) -> dict[int, ItemResult]:
    """Record the items of one part in one transaction, unless the token was revoked meanwhile."""
    with uow.write():
        token = tokens.token(uow, token_id=holder.id)
        if token is None or token.revoked_at is not None:
            return {one.position: _refused(one.id, _REVOKED) for one in part}
        owner = f"token:{holder.id}"
        stored = machines.answered(uow, holder=owner, items=[one.id for one in part])
        sources = machines.recorded_sources(uow, sources=[source_of(holder, one.id) for one in part])
        results: dict[int, ItemResult] = {}
        seen: dict[str, Pushed] = {}
        fresh, repeats = [], []
        for one in part:
            known = stored.get(one.id)
            if known is not None:
                results[one.position] = _repeated(kind, one, known)
            elif source_of(holder, one.id) in sources:  # longer ago than results are kept
                results[one.position] = ItemResult(id=one.id, outcome="repeated")
            elif one.id in seen:
                repeats.append(one)
            else:
                seen[one.id] = one
                fresh.append(one)
        recorded = _record(uow, holder, kind, fresh)
        results |= recorded
        for one in repeats:
            first = recorded[seen[one.id].position]
            results[one.position] = _again(one, seen[one.id], first)
        answers = [
            (one.id, {**results[one.position].model_dump(mode="json"), "digest": _digest(kind, one)})
            for one in fresh
            if results[one.position].outcome == "recorded"
        ]
        machines.keep_answers(uow, holder=owner, kind=f"machines.{kind.PATH}", answers=answers)
        return results


def _digest(kind: type[Item], one: Pushed) -> str:
    return f"{kind.PATH}:{one.item.digest}"


def _record(
    uow: UnitOfWork, holder: TokenHolder, kind: type[Item], items: Sequence[Pushed]
) -> dict[int, ItemResult]:
    """Record items that are new, and judge what they are about."""
    saver, finder = SAVERS[kind], Finder(uow, covered(uow, holder), holder)
    results: dict[int, ItemResult] = {}
    known: list[Pushed] = []
    adoption_ids: set[int] = set()
    for one in items:
        try:
            adoption_ids.add(finder.place(one.item).view.id)
            known.append(one)
        except Wrong as wrong:
            results[one.position] = _refused(one.id, wrong)
    adoptions.lock_adoptions(uow, adoption_ids=adoption_ids)
    finder = Finder(uow, covered(uow, holder), holder)  # a cycle may have closed while this waited
    saved: list[tuple[Pushed, Saved]] = []
    sentences: dict[str, str] = {}  # many items may be refused alike
    for one in known:
        mine = uow.by(holder.actor(source_of(holder, one.id)))
        try:
            place = finder.place(one.item)
            _require_may(mine, holder, place, for_owners=saver.for_owners)
            saved.append((one, saver.save(mine, holder, place, one.item, [before for _, before in saved])))
        except Wrong as wrong:
            results[one.position] = _refused(one.id, wrong)
        except Refusal as refused:
            if refused.plain not in sentences:
                sentences[refused.plain] = named(uow, refused.plain)
            code = "not-allowed" if isinstance(refused, NotAllowed) else "invalid-item"
            results[one.position] = _refused(one.id, Wrong(code, sentences[refused.plain]))
    verdicts = saver.judge(uow.by(holder.actor(_cause(holder, saved))), holder, [one for _, one in saved])
    for number, (one, _) in enumerate(saved):
        results[one.position] = ItemResult(id=one.id, outcome="recorded", verdict=verdicts[number])
    return results


def _cause(holder: TokenHolder, saved: Sequence[tuple[Pushed, Saved]]) -> str:
    """The correlation id of what a part leads to: that of its last item."""
    return source_of(holder, saved[-1][0].id) if saved else ""


def _require_may(uow: UnitOfWork, holder: TokenHolder, place: Place, *, for_owners: str) -> None:
    """Require the rights of the person whose assistant it is; a tool's rights are its token's.

    Raises:
        NotAllowed: the person couldn't report it in Slack either.
    """
    if holder.member is None:
        return
    if for_owners:
        require_owner_or_curator(uow, playbook=place.view.playbook, to=for_owners)
    elif not is_curator(uow):
        require_team_member(uow, place.view, to="report on it")


def _repeated(kind: type[Item], one: Pushed, known: dict[str, Any]) -> ItemResult:
    if known.get("digest") != _digest(kind, one):
        return _refused(one.id, _REUSED)
    return ItemResult(id=one.id, outcome="repeated", verdict=known.get("verdict"))


def _again(one: Pushed, before: Pushed, first: ItemResult) -> ItemResult:
    """The result of an item that is in the same request twice."""
    if one.item.digest != before.item.digest:
        return _refused(one.id, _REUSED)
    return first.model_copy(update={"outcome": "repeated"}) if first.outcome == "recorded" else first


_REUSED: Final = Wrong(
    "id-reused",
    "This id was used for something else before. Give each item an id of its own; to correct runs, name the earlier "
    "id in `replaces`.",
)


_REVOKED: Final = Wrong("revoked", "This token was revoked. Make another one in Slack with `/cadence token`.")


def _refused(item_id: str, wrong: Wrong) -> ItemResult:
    return ItemResult(id=item_id, outcome="refused", detail=wrong.detail, code=wrong.code)
