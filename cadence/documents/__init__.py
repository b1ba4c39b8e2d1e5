"""Playbooks and workspaces as people write them: YAML to frozen values (or to a list of every problem),
and back."""

from cadence.documents.data import Data, to_data
from cadence.documents.diff import Change, diff_playbooks, differences
from cadence.documents.dump import dump_playbook, dump_workspace
from cadence.documents.kpi_catalogue import KPI_CATALOGUE, CatalogueKpi
from cadence.documents.playbook import (
    Guardrail,
    HandoffTerms,
    Kpi,
    Pillars,
    PlaybookSpec,
    Promote,
    Rubric,
    ScaleRule,
    Step,
    Verify,
    WorthUnit,
    package_gaps,
)
from cadence.documents.problems import DocumentRefused, Problem
from cadence.documents.reading import playbook_from_data, read_document, read_playbook, read_workspace
from cadence.documents.words import Function
from cadence.documents.workspace import TeamSpec, WorkspaceSpec

__all__ = [
    "KPI_CATALOGUE",
    "CatalogueKpi",
    "Change",
    "Data",
    "DocumentRefused",
    "Function",
    "Guardrail",
    "HandoffTerms",
    "Kpi",
    "Pillars",
    "PlaybookSpec",
    "Problem",
    "Promote",
    "Rubric",
    "ScaleRule",
    "Step",
    "TeamSpec",
    "Verify",
    "WorkspaceSpec",
    "WorthUnit",
    "diff_playbooks",
    "differences",
    "dump_playbook",
    "dump_workspace",
    "package_gaps",
    "playbook_from_data",
    "read_document",
    "read_playbook",
    "read_workspace",
    "to_data",
]
