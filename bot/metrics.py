"""What Prometheus is told."""

from prometheus_client import Counter, Histogram

MESSAGES = Counter(
    "cadence_messages_total", "Messages that reached an end, by kind and outcome.", ["kind", "outcome"]
)
REQUESTS = Counter("cadence_requests_total", "Requests from Slack, by kind and outcome.", ["kind", "outcome"])
ACK_SECONDS = Histogram("cadence_ack_seconds", "Time until a request from Slack is answered.", ["kind"])
VERDICTS_LOGGED = Counter("cadence_planned_total", "Messages newly planned.")
