"""The identity check by document: its state, the links it was given, and how links reach the customer.

Contract bakkt-partner.md, section 6: a link lives 72 hours, three may expire, whoever holds one can start the check.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from onboarding.models.accounts import ProviderAccount
from portal import clock, ids
from portal.sealed import SealedTextField
from portal.states import Stateful

#: Links of one check (contract, question 11: three expirations are three links in total).
MOST_LINKS = 3


class IdentityCheck(Stateful):
    """The check of one account. The provider may ask for it anew after it came to an end: that is the next round."""

    class Status(models.TextChoices):
        AWAITING = "awaiting_customer", "Waiting for the customer"
        EXPIRED = "expired", "Link expired"
        EXHAUSTED = "exhausted", "Links used up"
        RESOLVED = "resolved", "Came to its end"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.AWAITING: frozenset({Status.EXPIRED, Status.RESOLVED}),
        Status.EXPIRED: frozenset({Status.AWAITING, Status.EXHAUSTED, Status.RESOLVED}),
        Status.EXHAUSTED: frozenset({Status.AWAITING, Status.RESOLVED}),
        Status.RESOLVED: frozenset({Status.AWAITING}),
    }

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.OneToOneField(ProviderAccount, on_delete=models.PROTECT, related_name="identity_check")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.AWAITING)
    round = models.PositiveSmallIntegerField(default=1)
    #: Links of this round that ran out; counted by the clock alone.
    expirations = models.PositiveSmallIntegerField(default=0)
    #: Until when the present link works; None while there is none. Lists read it here.
    expires_at = models.DateTimeField(null=True, blank=True)
    #: While somebody fetches a link: two tabs at once fetch one.
    fetching_until = models.DateTimeField(null=True, blank=True)
    #: After a failed fetch: not before this, and how many failed in a row.
    not_before = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    #: What the last fetch came to, in the provider's or our own code, for staff; "" when it was good.
    problem = models.CharField(max_length=80, blank=True)
    #: When the provider refused a link before the three had run out: a person looks at it.
    refused_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "identity check"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["awaiting_customer", "expired", "exhausted", "resolved"]),
                name="identity_check_status_known",
            )
        ]
        indexes = [
            models.Index(
                fields=["account"],
                name="identity_check_with_us",
                condition=Q(status="exhausted") | Q(refused_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"identity check {str(self.pk)[-8:]}"


class IdentityLink(models.Model):
    """A link of a check. Its address is forgotten when it ends; what is left is enough to know it again."""

    class Source(models.TextChoices):
        WEBHOOK = "webhook", "Came from the provider"
        RENEWAL = "renewal", "Asked for by the customer"
        OVERRIDE = "override", "Asked for by staff after declined consent"

    class End(models.TextChoices):
        EXPIRED = "expired", "Ran out"
        REPLACED = "replaced", "Replaced by another"
        RESOLVED = "resolved", "The check came to its end"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    identity_check = models.ForeignKey(IdentityCheck, on_delete=models.PROTECT, related_name="links")
    round = models.PositiveSmallIntegerField()
    #: 1 to 3 within a round. A link that replaces a living one takes its number: nothing was spent.
    number = models.PositiveSmallIntegerField()
    url = SealedTextField(null=True, blank=True, mask="none")
    url_index = models.CharField(max_length=64, editable=False)
    source = models.CharField(max_length=12, choices=Source.choices)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    issued_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=10, choices=End.choices, blank=True)
    #: The address behind the QR code: only its hash is kept, it works once and for minutes.
    handoff_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    handoff_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["identity_check"], name="identity_link_one_living", condition=Q(ended_at=None)
            ),
            models.UniqueConstraint(
                fields=["handoff_sha256"], name="identity_link_one_handoff", condition=~Q(handoff_sha256="")
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, end="", url__isnull=False)
                | (Q(ended_at__isnull=False, url__isnull=True) & ~Q(end="")),
                name="identity_link_forgotten_when_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="identity_link_due", condition=Q(ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"link {self.number} of {str(self.identity_check_id)[-8:]}"


class IdentityDelivery(models.Model):
    """How links reach customers: what the partner has agreed with the provider, and what we do ourselves. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    in_app = models.BooleanField(default=True)
    sms_by_vendor = models.BooleanField(default=False)
    mail_by_provider = models.BooleanField(default=False)
    mail_by_us = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="identity_delivery_one_row"),
            models.CheckConstraint(
                condition=Q(in_app=True) | Q(sms_by_vendor=True) | Q(mail_by_provider=True),
                name="identity_delivery_some_way",
            ),
        ]

    def __str__(self) -> str:
        return "delivery of identity-check links"
