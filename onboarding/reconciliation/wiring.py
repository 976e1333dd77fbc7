"""What reconciliation registers when the app starts: its kinds of cases, and that every reading is compared."""

from compliance import kinds
from onboarding import jobs
from onboarding.cases import differs, unknown
from onboarding.reconciliation import comparing, gauges


def register() -> None:
    """Called once from the app's `ready()`, after the readers that move accounts along."""
    kinds.register(differs.kind)
    kinds.register(unknown.kind)
    jobs.register_reader(comparing.settle, comparing.not_there)
    gauges.register()
