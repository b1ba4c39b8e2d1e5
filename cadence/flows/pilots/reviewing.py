"""The review before a pilot: the owner asks, a curator approves or sends it back with a remark (SPEC §6)."""

from dataclasses import dataclass

from cadence.flows.core import (
    REVIEW,
    MessageKind,
    Skip,
    curators_read,
    is_curator,
    once,
    require_curator,
    require_owner_or_curator,
    require_playbook,
    require_workspace,
    review_of,
    rewrite_review,
    tell,
    who_did,
    zone_of,
)
from cadence.flows.pilots.cases import ranked_drafts, shown_case
from cadence.flows.pilots.requirements import (
    first_cycles_running,
    missing_answers,
    newest_spec,
    unanswered,
)
from cadence.mrkdwn import mention, say
from cadence.nudges import Unless
from cadence.refusals import Offer, Refusal
from storage.queries import people, pilots, playbooks, trail
from storage.tables import (
    OutboxMessage,
    PilotReview,
    Playbook,
    PlaybookState,
    PlaybookVersion,
    ReviewState,
    Workspace,
)
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.pilots import (
    ChoosePilotForm,
    PilotDecided,
    PilotDraft,
    PilotDrafts,
    PilotReviewForm,
    PilotReviewPost,
    PilotShown,
    ReviewShown,
    SendBackForm,
)
from templates.filters import day
from templates.ids import Action

DECIDED = "pilot-decided"
LONGEST = 1_000
"""Maximum characters of a remark."""


@dataclass(frozen=True, slots=True)
class PilotRef:
    """A draft whose review a button carries, with the review and the revision that were shown, if any."""

    slug: str
    review_id: int | None = None
    revision: int | None = None


def ref_value(playbook: Playbook, version: PlaybookVersion, row: PilotReview | None) -> str:
    """The value of a button about a review: `{review_id}:{revision}:{slug}`; 0 without an undecided review."""
    asked = row is not None and row.state is ReviewState.ASKED
    return f"{row.id if row and asked else 0}:{version.revision}:{playbook.slug}"


# --- looking at it


def pilot_overview(uow: UnitOfWork) -> PilotShown | PilotDrafts | ChoosePilotForm:
    """The answer to a bare `/cadence pilot`: the ranked drafts for a curator; an owner's draft; else the form to
    choose one.

    Raises:
        Refusal: there are no drafts.
    """
    with uow.read():
        workspace = require_workspace(uow)
        if is_curator(uow):
            return _drafts(uow, workspace)
        drafts = ranked_drafts(uow)
        own = [one for one in drafts if one.playbook.owner == uow.actor.member]
        if len(own) == 1:
            return _shown(uow, own[0].playbook)
        if not drafts:
            raise Refusal(
                "There are no drafts. Every playbook here has run already.",
                offer=Offer("New playbook", Action.NEW_PLAYBOOK),
            )
        return ChoosePilotForm(
            playbooks=tuple(
                Choice(label=one.playbook.title, value=one.playbook.slug) for one in own or drafts
            )
        )


def _drafts(uow: UnitOfWork, workspace: Workspace) -> PilotDrafts:
    day_ = uow.now.astimezone(zone_of(uow, workspace, uow.actor.member)).date()
    return PilotDrafts(
        rows=tuple(
            PilotDraft(
                slug=one.playbook.slug,
                title=one.playbook.title,
                owner=one.playbook.owner,
                points=one.case.points,
                reason=one.case.reason,
                state=one.review.state if one.review else None,
                missing=len(unanswered(one.spec)),
            )
            for one in ranked_drafts(uow)
        ),
        running=len(first_cycles_running(uow, on=day_)),
        most=workspace.first_cycles,
    )


def show_pilot(uow: UnitOfWork, slug: str) -> PilotShown:
    """A playbook's case, pillars, modes and review.

    Raises:
        Unknown: there is no such playbook; the nearest is named.
    """
    with uow.read():
        require_workspace(uow)
        return _shown(uow, require_playbook(uow, slug))


def _newest(uow: UnitOfWork, playbook: Playbook) -> PlaybookVersion:
    newest = playbooks.newest_version(uow, playbook_id=playbook.id or 0)
    assert newest is not None  # noqa: S101 - imported with its playbook
    return newest


def _shown(uow: UnitOfWork, playbook: Playbook) -> PilotShown:
    version, row = _newest(uow, playbook), review_of(uow, playbook)
    mine, curator = uow.actor.member == playbook.owner, is_curator(uow)
    undecided = playbook.state is PlaybookState.DRAFT and (
        row is None or row.state is not ReviewState.APPROVED
    )
    missing = unanswered(newest_spec(uow, playbook)) if undecided else ()
    return PilotShown(
        slug=playbook.slug,
        title=playbook.title,
        owner=playbook.owner,
        state=playbook.state,
        revision=version.revision,
        case=shown_case(uow, playbook, version),
        review=_review(uow, row, remark=mine or curator) if row else None,
        missing=missing,
        offers=_offers(playbook, version, row, missing=bool(missing), mine=mine, curator=curator),
    )


def _offers(
    playbook: Playbook,
    version: PlaybookVersion,
    row: PilotReview | None,
    *,
    missing: bool,
    mine: bool,
    curator: bool,
) -> tuple[Offer, ...]:
    """The next steps with a case: what the reader can do, the most likely first."""
    edit = Offer("Edit the playbook", Action.EDIT_PLAYBOOK, playbook.slug)
    if not (mine or curator):
        return ()
    if playbook.state is not PlaybookState.DRAFT:
        return (edit,)
    if row is not None and row.state is ReviewState.APPROVED:
        return (Offer("Start a cycle", Action.START_CYCLE, playbook.slug), edit)
    if missing:
        return (edit,)
    value = ref_value(playbook, version, row)
    decide = (
        Offer("Approve", Action.APPROVE_PILOT, value),
        Offer("Send back", Action.SEND_BACK_PILOT, value),
    )
    if row is not None and row.state is ReviewState.ASKED:
        return (*(decide if curator else ()), edit)
    again = "Ask again" if row is not None else "Ask for review"
    ask = (Offer(again, Action.ASK_REVIEW, playbook.slug),) if mine else ()
    return (*ask, *(decide[: 1 if row is not None else 2] if curator else ()), edit)


def _review(uow: UnitOfWork, row: PilotReview, *, remark: bool) -> ReviewShown:
    version = playbooks.version(uow, version_id=row.version_id)
    return ReviewShown(
        state=row.state,
        asked_by=row.asked_by if row.surface != "cli" else None,
        asked_at=row.asked_at,
        revision=version.revision,
        decided_by=row.decided_by if row.surface != "cli" else None,
        decided_at=row.decided_at,
        remark=row.remark if remark else "",
    )


# --- asking and deciding


@once
def ask_review(uow: UnitOfWork, slug: str) -> Done:
    """Ask the curators to review a draft; asking twice changes nothing.

    Raises:
        NotApproved: the case or a pillar is empty; names what is. Refusal: the playbook is no draft, nobody could
        review it. NotAllowed: the caller is neither its owner nor a curator.
    """
    with uow.write():
        workspace = require_workspace(uow)
        playbook, row = _locked(uow, slug)
        require_owner_or_curator(uow, playbook=playbook, to=f"ask for a review of {playbook.title}")
        _require_draft(playbook)
        if row is not None and row.state is not ReviewState.SENT_BACK:
            return _settled(uow, workspace, playbook, row)
        if (missing := missing_answers(playbook, newest_spec(uow, playbook))) is not None:
            raise missing
        if not people.curators(uow):
            raise Refusal(
                "This workspace doesn't have a curator yet. A workspace admin can name the first with "
                "`/cadence settings`."
            )
        version = _newest(uow, playbook)
        row = _add(uow, playbook, version)
        _record(uow, playbook, "pilot-asked", {"revision": version.revision})
        tell(
            uow,
            curators_read(uow, workspace),
            kind=REVIEW,
            slot=row.id,
            subject={"review": row.id, "playbook": playbook.id},
        )
        return Done(
            text=say(
                "{title} is with the curators for review. You'll get a DM with the decision.",
                title=playbook.title,
            ),
            offers=(Offer("Show the case", Action.SHOW_PILOT, playbook.slug),),
        )


def _add(uow: UnitOfWork, playbook: Playbook, version: PlaybookVersion) -> PilotReview:
    row = PilotReview(
        workspace_id=playbook.workspace_id,
        playbook_id=playbook.id or 0,
        version_id=version.id or 0,
        asked_by=uow.actor.member,
        surface=uow.actor.surface,
        asked_at=uow.now,
    )
    uow.session.add(row)
    uow.session.flush()
    return row


def _locked(uow: UnitOfWork, slug: str) -> tuple[Playbook, PilotReview | None]:
    found = require_playbook(uow, slug)
    playbook = playbooks.lock_playbook(uow, playbook_id=found.id or 0)
    return playbook, review_of(uow, playbook)


def _require_draft(playbook: Playbook) -> None:
    if playbook.state is PlaybookState.DRAFT:
        return
    raise Refusal(
        say(
            "{title} is {state} already. A review comes before the first cycle of a draft.",
            title=playbook.title,
            state=playbook.state,
        ),
        field="playbook",
    )


@once
def approve_pilot(uow: UnitOfWork, ref: PilotRef) -> Done:
    """Approve a draft for its pilot, asked for or not. A second click changes nothing and shows the decision.

    Raises:
        NotApproved: the case or a pillar is empty. Refusal: no draft, or a newer revision than the caller saw.
        NotAllowed: the caller is no curator.
    """
    with uow.write():
        workspace = require_workspace(uow)
        playbook, row = _to_decide(uow, ref, to="approve a pilot")
        if (settled := _decided_before(uow, workspace, playbook, row, ref, may_revisit=True)) is not None:
            return settled
        if (missing := missing_answers(playbook, newest_spec(uow, playbook))) is not None:
            raise missing
        _decide(uow, playbook, row, ReviewState.APPROVED, remark="")
        return Done(
            text=say("{title} is approved for its pilot. {owner} notified.", **_who(playbook)),
            offers=(Offer("Start a cycle", Action.START_CYCLE, playbook.slug),),
        )


@once
def send_back(uow: UnitOfWork, ref: PilotRef, remark: str) -> Done:
    """Send a draft back to its owner with a remark. A second click changes nothing and shows the decision.

    Raises:
        Refusal: no draft, no remark, or a newer revision than the caller saw. NotAllowed: the caller is no
        curator.
    """
    with uow.write():
        workspace = require_workspace(uow)
        playbook, row = _to_decide(uow, ref, to="send a draft back")
        if (settled := _decided_before(uow, workspace, playbook, row, ref)) is not None:
            return settled
        remark = remark.strip()
        if not remark:
            raise Refusal("Say what's missing, so the owner knows what to work on.", field="remark")
        if len(remark) > LONGEST:
            raise Refusal(f"Keep it to {LONGEST:,} characters. This one has {len(remark):,}.", field="remark")
        _decide(uow, playbook, row, ReviewState.SENT_BACK, remark=remark)
        return Done(text=say("{title} is back with {owner}, with your remark.", **_who(playbook)))


def _who(playbook: Playbook) -> dict[str, str]:
    return {"title": playbook.title, "owner": mention(playbook.owner)}


def send_back_form(uow: UnitOfWork, ref: PilotRef) -> SendBackForm | Done:
    """The form that asks what is missing; the decision, if there already is one.

    Raises:
        Refusal: no draft. NotAllowed: the caller is no curator.
    """
    with uow.read():
        workspace = require_workspace(uow)
        playbook, row = _to_decide(uow, ref, to="send a draft back", hold=False)
        if (settled := _decided_before(uow, workspace, playbook, row, ref)) is not None:
            return settled
        return SendBackForm(title=playbook.title, owner=playbook.owner)


def review_form(uow: UnitOfWork, slug: str) -> PilotReviewForm | Done:
    """The form in which a curator judges a draft; the decision, if it is approved already.

    Raises:
        NotApproved: the case or a pillar is empty. Refusal: no draft. NotAllowed: the caller is no curator.
    """
    with uow.read():
        workspace = require_workspace(uow)
        require_curator(uow, to="review a pilot")
        playbook = require_playbook(uow, slug)
        _require_draft(playbook)
        row, version = review_of(uow, playbook), _newest(uow, playbook)
        if row is not None and row.state is ReviewState.APPROVED:
            return _settled(uow, workspace, playbook, row)
        if (missing := missing_answers(playbook, newest_spec(uow, playbook))) is not None:
            raise missing
        return PilotReviewForm(
            heading=playbook.title,
            owner=playbook.owner,
            case=shown_case(uow, playbook, version),
            value=ref_value(playbook, version, row),
        )


def _to_decide(
    uow: UnitOfWork, ref: PilotRef, *, to: str, hold: bool = True
) -> tuple[Playbook, PilotReview | None]:
    """The playbook, held until the transaction ends, and its review, for a curator."""
    require_curator(uow, to=to)
    playbook = _locked(uow, ref.slug)[0] if hold else require_playbook(uow, ref.slug)
    row = review_of(uow, playbook)
    if ref.review_id and row is not None and row.id != ref.review_id:
        earlier = pilots.review(uow, review_id=ref.review_id)
        row = earlier if earlier is not None and earlier.playbook_id == playbook.id else row
    return playbook, row


def _decided_before(
    uow: UnitOfWork,
    workspace: Workspace,
    playbook: Playbook,
    row: PilotReview | None,
    ref: PilotRef,
    *,
    may_revisit: bool = False,
) -> Done | None:
    """The decision that the caller would repeat; None if it is still to be made.

    Args:
        may_revisit: a draft that was sent back can be decided again, except by the button of that review.

    Raises:
        Refusal: the playbook is no draft any more, or has a newer revision than the caller saw.
    """
    again = may_revisit and row is not None and row.state is ReviewState.SENT_BACK and not ref.review_id
    if row is not None and row.state is not ReviewState.ASKED and not again:
        return _settled(uow, workspace, playbook, row)
    _require_draft(playbook)
    if ref.revision is not None and ref.revision != _newest(uow, playbook).revision:
        raise Refusal(
            say("{title} changed since you opened this. Take another look first.", title=playbook.title),
            offer=Offer("Show the case", Action.SHOW_PILOT, playbook.slug),
        )
    return None


def _settled(uow: UnitOfWork, workspace: Workspace, playbook: Playbook, row: PilotReview) -> Done:
    """What became of a review, for a click that changes nothing."""
    zone = zone_of(uow, workspace, uow.actor.member)
    on = day((row.decided_at or row.asked_at).astimezone(zone).date())
    show = (Offer("Show the case", Action.SHOW_PILOT, playbook.slug),)
    if row.surface == "cli":
        text = say(
            "{title} was approved with its import on {on}. Nothing changed.", title=playbook.title, on=on
        )
    elif row.state is ReviewState.ASKED:
        text = say(
            "{who} asked for a review of {title} on {on}. The curators have it.",
            who=who_did(uow, row.asked_by),
            title=playbook.title,
            on=on,
        )
    else:
        text = say(
            "{who} {did} {title} on {on}. Nothing changed.",
            who=who_did(uow, row.decided_by),
            did="approved" if row.state is ReviewState.APPROVED else "sent back",
            title=playbook.title,
            on=on,
        )
    return Done(text=text, offers=show)


def _decide(
    uow: UnitOfWork,
    playbook: Playbook,
    row: PilotReview | None,
    state: ReviewState,
    *,
    remark: str,
) -> None:
    version = _newest(uow, playbook)
    before = row.state if row else None
    if row is None or row.state is not ReviewState.ASKED:
        row = _add(uow, playbook, version)
    row.state, row.remark, row.version_id = state, remark, version.id or 0
    row.decided_by, row.decided_at = uow.actor.member, uow.now
    uow.session.add(row)
    uow.session.flush()
    _record(
        uow,
        playbook,
        f"pilot-{state}",
        {"revision": version.revision, "remark": remark},
        before={"state": before} if before else None,
    )
    rewrite_review(uow, row)
    if playbook.owner != uow.actor.member:
        tell(uow, [playbook.owner], kind=DECIDED, slot=row.id, subject={"review": row.id})


def _record(
    uow: UnitOfWork, playbook: Playbook, action: str, after: dict[str, object], before: object = None
) -> None:
    uow.record(action=action, subject=f"playbook:{playbook.slug}", before=before, after=after)


# --- messages


def _about(uow: UnitOfWork, message: OutboxMessage) -> tuple[PilotReview, Playbook]:
    row = pilots.review(uow, review_id=int(message.subject["review"]))
    if row is None:
        raise Refusal("the review no longer exists")
    return row, playbooks.by_id(uow, playbook_id=row.playbook_id)


def review_asked(uow: UnitOfWork, message: OutboxMessage) -> PilotReviewPost | Skip:
    """The request to review a draft; not sent once it is decided."""
    row, playbook = _about(uow, message)
    if row.state is not ReviewState.ASKED or playbook.state is not PlaybookState.DRAFT:
        return Skip(Unless.DECIDED)
    return review_post(uow, message)


def review_post(uow: UnitOfWork, message: OutboxMessage) -> PilotReviewPost:
    """The request, or its outcome."""
    row, playbook = _about(uow, message)
    version = playbooks.version(uow, version_id=row.version_id)
    open_ = row.state is ReviewState.ASKED and playbook.state is PlaybookState.DRAFT
    value = ref_value(playbook, version, row)
    decide = (
        Offer("Approve", Action.APPROVE_PILOT, value),
        Offer("Send back", Action.SEND_BACK_PILOT, value),
    )
    return PilotReviewPost(
        title=playbook.title,
        owner=playbook.owner,
        case=shown_case(uow, playbook, version),
        review=_review(uow, row, remark=True),
        lapsed=row.state is ReviewState.ASKED and not open_,
        retired_by=_retired_by(uow, playbook) if row.state is ReviewState.ASKED else "",
        offers=decide if open_ else (),
    )


def _retired_by(uow: UnitOfWork, playbook: Playbook) -> str:
    """Who retired a playbook; empty if it isn't retired."""
    if playbook.state is not PlaybookState.RETIRED:
        return ""
    [*_, entry] = trail.entries(uow, action="playbook-retired", subject=f"playbook:{playbook.slug}")
    return entry.member or playbook.owner


def decided(uow: UnitOfWork, message: OutboxMessage) -> PilotDecided:
    """The decision, for the owner."""
    row, playbook = _about(uow, message)
    edit = Offer("Edit the playbook", Action.EDIT_PLAYBOOK, playbook.slug)
    return PilotDecided(
        title=playbook.title,
        review=_review(uow, row, remark=True),
        offers=(Offer("Start a cycle", Action.START_CYCLE, playbook.slug),)
        if row.state is ReviewState.APPROVED
        else (edit, Offer("Ask again", Action.ASK_REVIEW, playbook.slug)),
    )


REVIEWS = (
    MessageKind(REVIEW, review_asked, rewrite=review_post, unless=(Unless.DECIDED,)),
    MessageKind(DECIDED, decided),
)
