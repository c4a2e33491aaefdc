"""What is counted while the service runs, for Prometheus. Labels have few values, known in advance: never an id, a name or a path.

In: calls of `api.guard`, `engine.rounds`, `engine.planner` and the senders of `notices`. Out: the text that `dispatch.health` shows.
docs/serving.md lists them.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

CALLS = Counter("allons_http_requests", "Answered calls.", ["route", "method", "status"], registry=REGISTRY)
CALL_SECONDS = Histogram(
    "allons_http_request_seconds", "From a call's last byte to its answer.", ["route"], buckets=_SECONDS, registry=REGISTRY
)
UNFORESEEN = Counter("allons_unforeseen_errors", "Mistakes of ours: each has a line in the log.", ["kind"], registry=REGISTRY)
ROUNDS = Counter("allons_rounds", "Rounds that ended here, by how: saved, given back, or why not.", ["ended"], registry=REGISTRY)
ROUND_SECONDS = Histogram(
    "allons_round_seconds", "A round from claim to end.", buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600), registry=REGISTRY
)
WAYS = Counter("allons_planned_legs", "Legs of rounds that were saved.", ["outcome"], registry=REGISTRY)
SWEPT_AT = Gauge("allons_planner_swept_timestamp_seconds", "When the planner last looked at everything, by its clock.", registry=REGISTRY)
NOTICES = Counter("allons_notices", "Tries to tell somebody something, by what became of them.", ["outcome"], registry=REGISTRY)
WEBHOOKS = Counter("allons_webhooks", "Tries to tell another system something, by what became of them.", ["outcome"], registry=REGISTRY)
STREAMS = Gauge("allons_live_streams", "Streams of changes that are open.", registry=REGISTRY)
DUE = Gauge("allons_rounds_due", "Rounds that waited for a worker when the planner last looked.", registry=REGISTRY)
