"""Customers whose data the law makes us keep after they had it erased: shut away from every page but for a reason.

Lists and searches leave them out. A page of one opens for a manager or auditor who said why, for some minutes.
"""

from uuid import UUID

from django.urls import reverse

from onboarding.models import Customer
from portal.errors import Forbidden
from portal.models import User
from portal.revealing import Holder, is_shown

#: The field that whoever opens it has to reveal; its row is the customer.
FIELD = "onboarding.customer.retained"


def why_shut(viewer: User, customer: Customer) -> str:
    """Why the viewer may not see this customer's data now; "" when they may."""
    if customer.restricted_at is None or is_shown(viewer, FIELD, customer.pk):
        return ""
    until = f" until {customer.restricted_until:%B %d, %Y}" if customer.restricted_until else ""
    return (
        f"The customer had this erased; the law makes us keep it{until}, shut away. A compliance manager or an "
        "auditor opens it for some minutes, with a reason, on the page of the customer's data requests."
    )


def require_open(viewer: User, customer: Customer) -> None:
    """Raise Forbidden unless the viewer may see this customer's data now."""
    if reason := why_shut(viewer, customer):
        raise Forbidden(reason)


def holder_of_customer(row_id: UUID) -> Holder | None:
    """The customer as what their kept data belongs to."""
    customer = Customer.objects.select_related("user").filter(pk=row_id).first()
    if customer is None:
        return None
    return Holder(
        subject=customer,
        label=f"Customer {str(customer.pk)[-8:]}",
        url=reverse("privacy_staff:customer", args=[customer.pk]),
        names=(customer.user.name, customer.user.email),
    )
