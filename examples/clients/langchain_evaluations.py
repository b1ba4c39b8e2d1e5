"""Send a LangChain application's runs and evaluations to Rollout Cadence with OpenTelemetry.

`EvaluationLog` is a callback for any chain: each run of the chain is a log event `cadence.runs`, and each answer of
its model is judged by a function of yours and is a log event `gen_ai.evaluation.result`. Run as a program it answers
three tickets with a fake model, so no other service is needed:
`pip install langchain-core opentelemetry-sdk opentelemetry-exporter-otlp-proto-http`.

Settings are environment variables: CADENCE_URL (or OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, such as a collector's),
CADENCE_TOKEN, CADENCE_PLAYBOOK, CADENCE_STEP, CADENCE_TEAM and CADENCE_CHECK.
"""

import os
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.outputs import LLMResult
from langchain_core.prompts import ChatPromptTemplate
from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

Judge = Callable[[str], tuple[bool, str]]
"""Whether an answer passes, and why."""


class EvaluationLog(BaseCallbackHandler):
    """Emits an event for each run of a chain, and one for each evaluation of its model's answers.

    Args:
        check: the step's `verify.automated`, or `rubric` for graded samples.
    """

    def __init__(self, logger: Logger, check: str, judge: Judge) -> None:
        self.logger, self.check, self.judge = logger, check, judge

    def on_chain_end(
        self, outputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **_: Any
    ) -> None:
        """Count a run of the whole chain, not those of its parts."""
        if parent_run_id is None:
            self.emit("cadence.runs", {"cadence.runs": 1, "cadence.id": f"run:{run_id}"})

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        """Judge an answer."""
        passed, why = self.judge(response.generations[0][0].text)
        self.emit(
            "gen_ai.evaluation.result",
            {
                "gen_ai.evaluation.name": self.check,
                "gen_ai.evaluation.score.label": "pass" if passed else "fail",
                "gen_ai.evaluation.score.value": float(passed),
                "gen_ai.evaluation.explanation": why,
                "gen_ai.response.id": str(run_id),
            },
        )

    def emit(self, event: str, attributes: dict[str, Any]) -> None:
        """Emit an event; the exporter sends it later."""
        self.logger.emit(
            timestamp=time.time_ns(),
            event_name=event,
            severity_number=SeverityNumber.INFO,
            attributes=attributes,
        )


def logger_provider(settings: "os._Environ[str]") -> LoggerProvider:
    """Where events go: straight to Rollout Cadence, or to a collector that passes them on."""
    resource = Resource.create(
        {
            "service.name": "ticket-replies",
            "cadence.playbook": settings["CADENCE_PLAYBOOK"],
            "cadence.step": settings["CADENCE_STEP"],
            "cadence.team": settings["CADENCE_TEAM"],
        }
    )
    if settings.get("CADENCE_URL"):
        exporter = OTLPLogExporter(
            endpoint=f"{settings['CADENCE_URL'].rstrip('/')}/otlp/v1/logs",
            headers={"Authorization": f"Bearer {settings['CADENCE_TOKEN']}"},
        )
    else:
        exporter = OTLPLogExporter()  # OTEL_EXPORTER_OTLP_* say where
    provider = LoggerProvider(resource)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    return provider


def no_promises(answer: str) -> tuple[bool, str]:
    """Pass answers that don't promise a refund."""
    wrong = "refund" in answer.lower()
    return not wrong, "promises a refund" if wrong else "no forbidden phrase"


def main() -> None:
    """Answer three tickets."""
    answers = ["It ships today.", "You get a full refund!", "Your invoice is attached."]
    prompt = ChatPromptTemplate.from_messages([("system", "Answer the ticket."), ("human", "{ticket}")])
    chain = prompt | FakeListChatModel(responses=answers)
    provider = logger_provider(os.environ)
    log = EvaluationLog(provider.get_logger("cadence"), os.environ["CADENCE_CHECK"], no_promises)
    for ticket in ("Where is my order?", "It arrived broken.", "I need an invoice."):
        answer = chain.invoke({"ticket": ticket}, config={"callbacks": [log]})
        print(f"{ticket} {answer.text}")
    provider.shutdown()  # sends what is left


if __name__ == "__main__":
    main()
