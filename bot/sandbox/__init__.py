"""A built-in Slack workspace: Web API, commands, buttons, forms, a page, a clock. Independent of the bot."""

from bot.sandbox.answers import Answer, SubmitResult
from bot.sandbox.capabilities import Capabilities
from bot.sandbox.clock import SandboxClock
from bot.sandbox.delivery import AppAnswer, Delivery, InProcess, SignedHttp
from bot.sandbox.errors import CantDo, SlackError
from bot.sandbox.faults import Fault, FaultPlan, FaultRates
from bot.sandbox.identity import AppIdentity, Shortcut
from bot.sandbox.limits import problems_of_message, problems_of_view
from bot.sandbox.messages import Message
from bot.sandbox.people import Channel, User, Usergroup
from bot.sandbox.person import Person
from bot.sandbox.server import SandboxServer
from bot.sandbox.sockets import Sockets
from bot.sandbox.store import Store
from bot.sandbox.views import View
from bot.sandbox.workspace import Workspace, build_workspace

__all__ = [
    "Answer",
    "AppAnswer",
    "AppIdentity",
    "CantDo",
    "Capabilities",
    "Channel",
    "Delivery",
    "Fault",
    "FaultPlan",
    "FaultRates",
    "InProcess",
    "Message",
    "Person",
    "SandboxClock",
    "SandboxServer",
    "Shortcut",
    "SignedHttp",
    "SlackError",
    "Sockets",
    "Store",
    "SubmitResult",
    "User",
    "Usergroup",
    "View",
    "Workspace",
    "build_workspace",
    "problems_of_message",
    "problems_of_view",
]
