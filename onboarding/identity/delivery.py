"""How links reach customers. The three ways of the provider are switched at the provider, by agreement: no call for
it is published. What stands here is what was agreed; pages and letters say it in words."""

from dataclasses import astuple, dataclass

from django.db import transaction

from onboarding.models import IdentityDelivery
from portal import audit, permissions
from portal.errors import Invalid
from portal.models import User

SOME_WAY = "Choose at least one of the three ways a link can reach the customer."


@dataclass(frozen=True)
class Ways:
    """The ways that are on."""

    in_app: bool
    sms_by_vendor: bool
    mail_by_provider: bool
    mail_by_us: bool

    @property
    def words(self) -> list[str]:
        """What the customer reads about where else the link went."""
        found = []
        if self.sms_by_vendor:
            found.append("The identity service also sent the first link to your phone as an SMS.")
        if self.mail_by_provider:
            found.append("The provider also sent the first link to your e-mail address.")
        return found


def delivery_now() -> Ways:
    """The ways as they are set."""
    row = IdentityDelivery.objects.filter(pk=1).first() or IdentityDelivery()
    return _ways(row)


def delivery_change(*, actor: User, ways: Ways, source: str) -> None:
    """Set the ways, from now on. Raises Forbidden, or Invalid where none of the three ways is on."""
    permissions.require(actor, "identity.deliver")
    if not (ways.in_app or ways.sms_by_vendor or ways.mail_by_provider):
        raise Invalid(SOME_WAY, fields={"in_app": [SOME_WAY]})
    with transaction.atomic():
        IdentityDelivery.objects.bulk_create([IdentityDelivery()], ignore_conflicts=True)
        row = IdentityDelivery.objects.select_for_update().get(pk=1)
        before = _ways(row)
        if astuple(before) == astuple(ways):
            return
        row.in_app, row.sms_by_vendor, row.mail_by_provider, row.mail_by_us = astuple(ways)
        row.save()
        audit.record(
            "identity_delivery.change",
            subject=None,
            actor=actor,
            source=source,
            before=dict(vars(before)),
            after=dict(vars(ways)),
        )


def _ways(row: IdentityDelivery) -> Ways:
    return Ways(row.in_app, row.sms_by_vendor, row.mail_by_provider, row.mail_by_us)
