"""Playbooks: importing, publishing, revising, retiring."""

from cadence.flows.playbooks.comparing import show_diff
from cadence.flows.playbooks.imports import import_document, import_playbook, import_typed
from cadence.flows.playbooks.listing import export_playbook, list_playbooks, show_playbook
from cadence.flows.playbooks.publishing import (
    Readiness,
    minutes_of,
    override_form,
    override_shown,
    package_gaps,
    publish,
    published,
    readiness,
)
from cadence.flows.playbooks.retiring import retire, retire_form, retired
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
    "minutes_of",
    "override_form",
    "override_shown",
    "package_gaps",
    "publish",
    "published",
    "readiness",
    "require_newest",
    "retire",
    "retire_form",
    "retired",
    "revise_form",
    "save_revision",
    "show_diff",
    "show_playbook",
]
