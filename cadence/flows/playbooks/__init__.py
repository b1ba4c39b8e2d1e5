"""Playbooks: importing, publishing, revising, retiring."""

from cadence.flows.playbooks.imports import import_document, import_playbook, import_typed
from cadence.flows.playbooks.listing import export_playbook, list_playbooks, show_diff, show_playbook
from cadence.flows.playbooks.publishing import PUBLISHED, override_form, override_shown, publish
from cadence.flows.playbooks.readiness import Readiness, package_gaps, readiness_of, setup_minutes
from cadence.flows.playbooks.retiring import RETIRED, retire, retire_form
from cadence.flows.playbooks.revising import (
    PARTS,
    REVISE_HEADING,
    REVISE_SUBMIT,
    choose_form,
    require_newest,
    revise_form,
    save_revision,
)

__all__ = [
    "KINDS",
    "PARTS",
    "REVISE_HEADING",
    "REVISE_SUBMIT",
    "Readiness",
    "choose_form",
    "export_playbook",
    "import_document",
    "import_playbook",
    "import_typed",
    "list_playbooks",
    "override_form",
    "override_shown",
    "package_gaps",
    "publish",
    "readiness_of",
    "require_newest",
    "retire",
    "retire_form",
    "revise_form",
    "save_revision",
    "setup_minutes",
    "show_diff",
    "show_playbook",
]

KINDS = (PUBLISHED, RETIRED)
