"""Figures of the running service in Prometheus' format. They name no account, device or address."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest


class Metrics:
    """Counters of one replica."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "bureau_requests_total", "Requests answered", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "bureau_request_seconds", "Time until the answer", ["route"], registry=self.registry
        )
        self.ops = Counter("bureau_ops_total", "Pushed operations", ["outcome"], registry=self.registry)
        self.jobs = Counter("bureau_jobs_total", "Jobs ended", ["kind", "outcome"], registry=self.registry)

    def page(self) -> bytes:
        """Return the page that Prometheus reads."""
        return generate_latest(self.registry)
