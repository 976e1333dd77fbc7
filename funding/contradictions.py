"""Words of the provider about money that contradict what is known, or that nobody knows: a person looks."""

from compliance import services as compliance
from funding.models import Transfer
from funding.subjects import subject_of
from onboarding.models import ProviderAccount
from providers.inbox import Plan
from providers.models import InboundEvent

KIND = "funding.contradiction"


def put_aside(event: InboundEvent, plan: Plan) -> None:
    """Open a case about the transfer or account of a FIAT_EVENT that was put aside, in the event's transaction.

    Of an event that names no account of ours the inbox alone tells.
    """
    row = plan.subject
    if isinstance(row, Transfer | ProviderAccount):
        compliance.case_open(
            kind=KIND,
            subject=subject_of(row),
            title=" ".join(plan.lines)[:200],
            facts={"webhook": str(event.pk)},
            source="webhook",
            dedupe=f"event:{event.pk}",
        )
