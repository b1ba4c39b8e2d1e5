from datetime import UTC, datetime

from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from templates.contexts.base import Choice, MessageContext, ViewContext
from templates.contexts.tokens import TOOL, WRITE, TokenForm, TokenLine, TokenList, TokenShown
from templates.ids import Action

MADE = datetime(2026, 3, 12, 10, 30, tzinfo=UTC)
HELP_DESK = TokenLine(
    ref="7",
    name="Help desk",
    scope="Support reply in Support EMEA",
    member=None,
    write=True,
    read=False,
    made_by="U01LEAD",
    made_at=MADE,
    used_at=datetime(2026, 3, 13, 8, 5, tzinfo=UTC),
)
ASSISTANT = TokenLine(
    ref="8",
    name="Claude",
    scope="",
    member="U01AGENT1",
    write=True,
    read=True,
    made_by="U01AGENT1",
    made_at=MADE,
)
MAKE = Offer("Make a token", Action.MAKE_TOKEN)
SAMPLES: dict[str, MessageContext | ViewContext] = {
    "token_form": TokenForm(
        playbooks=(Choice(label="Support reply", value="support-reply"),),
        teams=(Choice(label="Support EMEA", value="support-emea"),),
        use=TOOL,
        scopes=(WRITE,),
    ),
    "token_shown": TokenShown(
        name="Help desk",
        token=Mrkdwn(f"```rc_T01SANDBOX_{'k' * 10}_{'s' * 43}```"),
        scope="Support reply in Support EMEA",
        write=True,
        read=False,
    ),
    "token_shown_assistant": TokenShown(
        name="Claude",
        token=Mrkdwn(f"```rc_T01SANDBOX_{'k' * 10}_{'s' * 43}```"),
        scope="",
        write=True,
        read=False,
    ),
    "token_list": TokenList(tokens=(ASSISTANT, HELP_DESK), offers=(MAKE,)),
    "token_list_empty": TokenList(tokens=(), offers=(MAKE,)),
}
