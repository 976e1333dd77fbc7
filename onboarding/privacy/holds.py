"""Legal holds: while one stands, nothing of the customer is erased, neither at their request nor by retention."""

from uuid import UUID

from django.db import transaction

from onboarding.models import Customer, LegalHold
from portal import audit, clock, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User

SHORTEST, LONGEST = 5, 300


def open_hold(customer: Customer) -> LegalHold | None:
    """The hold that stands."""
    return LegalHold.objects.filter(customer=customer, lifted_at=None).select_related("placed_by").first()


def hold_place(*, actor: User, customer_id: UUID, reason: str, source: str = "page") -> LegalHold:
    """Forbid every erasure of this customer's data. Raises Forbidden, NotFound, Invalid, Conflict when one stands."""
    permissions.require(actor, "hold.manage")
    reason = _reason(reason)
    with transaction.atomic():
        customer = _locked(customer_id)
        if open_hold(customer) is not None:
            raise Conflict("This customer is under a legal hold already.")
        hold = LegalHold.objects.create(customer=customer, reason=reason, placed_by=actor)
        audit.record("hold.place", subject=customer, actor=actor, reason=reason, source=source)
    return hold


def hold_lift(*, actor: User, customer_id: UUID, reason: str, source: str = "page") -> None:
    """Let retention and erasure go on. Raises Forbidden, NotFound, Invalid."""
    permissions.require(actor, "hold.manage")
    reason = _reason(reason)
    with transaction.atomic():
        customer = _locked(customer_id)
        hold = open_hold(customer)
        if hold is None:
            raise NotFound("This customer is under no legal hold.")
        hold.lifted_by, hold.lifted_at, hold.lifted_because = actor, clock.now(), reason
        hold.save(update_fields=["lifted_by", "lifted_at", "lifted_because"])
        audit.record("hold.lift", subject=customer, actor=actor, reason=reason, source=source)


def _locked(customer_id: UUID) -> Customer:
    customer = Customer.objects.select_for_update().filter(pk=customer_id).first()
    if customer is None:
        raise NotFound("There is no such customer.")
    return customer


def _reason(text: str) -> str:
    reason = " ".join(text.replace("\x00", "").split())
    if not SHORTEST <= len(reason) <= LONGEST:
        problem = f"Say why, in {SHORTEST} to {LONGEST} characters: the court, the file, the authority."
        raise Invalid(problem, fields={"reason": [problem]})
    return reason
