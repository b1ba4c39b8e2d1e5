"""Writing a playbook in forms."""

from cadence.flows.editor.fields import Spot
from cadence.flows.editor.forms import create_draft, part_form, playbook_hub, start_over
from cadence.flows.editor.parts import keep_part

__all__ = [
    "Spot",
    "create_draft",
    "keep_part",
    "part_form",
    "playbook_hub",
    "start_over",
]
