"""Who may do what with whose money."""

from uuid import UUID

from onboarding.models import ProviderAccount
from portal import permissions
from portal.errors import NotFound
from portal.models import User

#: Staff words (portal/permissions.py): see transfers; ask for one on a customer's behalf; be its second person.
VIEW, CREATE, APPROVE = "transfer.view", "transfer.create", "transfer.approve"
#: Say how much may be moved.
LIMITS = "transfer.limits"


def account_for(actor: User, account_id: UUID, *, needs: str = VIEW) -> ProviderAccount:
    """An account whose money the actor may see: a customer their own, staff with the permission every one.

    Raises NotFound for a stranger's, Forbidden for staff without the permission.
    """
    rows = ProviderAccount.objects.select_related("application__customer__user")
    if actor.is_staff_member:
        permissions.require(actor, needs)
        found = rows.filter(pk=account_id).first()
    else:
        found = rows.filter(
            pk=account_id,
            application__customer__user=actor,
            application__customer__restricted_at=None,
        ).first()
    if found is None:
        raise NotFound("There is no such account.")
    return found
