"""What customers ask for that the provider's operations do by hand: restricted changes, and closing the account."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from onboarding.models.accounts import ProviderAccount
from onboarding.models.document_requests import DocumentRequest
from onboarding.models.owners import Owner
from portal import clock, ids
from portal.sealed import SealedJSONField, SealedTextField
from portal.states import Stateful


class ChangeRequest(Stateful):
    """A change of what no update may touch (seed 000, "Updating Customer Accounts"). One open per person and field."""

    class Status(models.TextChoices):
        REQUESTED = "requested", "Looked at by us"
        PASSED_ON = "passed_on", "With the provider"
        CONFIRMED = "confirmed", "Done"
        REFUSED = "refused", "Not accepted"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Field(models.TextChoices):
        BIRTH_DATE = "birth_date", "Date of birth"
        CITIZENSHIP = "citizenship", "Country of citizenship"
        TAX_NUMBER = "tax_number", "Tax number"
        COMPANY_TAX_NUMBER = "company_tax_number", "Tax number of the company or trust"
        ACCOUNT_TYPE = "account_type", "Type of account"
        ENROLLMENTS = "enrollments", "Enrollments"
        ACCOUNT_ID = "account_id", "Ids of the account"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.REQUESTED: frozenset({Status.PASSED_ON, Status.REFUSED, Status.WITHDRAWN}),
        Status.PASSED_ON: frozenset({Status.CONFIRMED, Status.REFUSED}),
        Status.CONFIRMED: frozenset(),
        Status.REFUSED: frozenset(),
        Status.WITHDRAWN: frozenset(),
    }
    BY_PERSON: ClassVar[frozenset[tuple[str, str]]] = frozenset(
        {
            (Status.REQUESTED, Status.PASSED_ON),
            (Status.PASSED_ON, Status.CONFIRMED),
            (Status.PASSED_ON, Status.REFUSED),
        }
    )
    OPEN: ClassVar[frozenset[str]] = frozenset({Status.REQUESTED, Status.PASSED_ON})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="change_requests")
    #: Whose it is; empty for what belongs to the account or the company.
    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    field = models.CharField(max_length=24, choices=Field.choices)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.REQUESTED)
    #: Answers by the names of the questions, as they stood when it was asked, and as they shall be.
    before = SealedJSONField()
    wanted = SealedJSONField()
    #: The asker's own words, which may name numbers.
    why = SealedTextField(mask="none")
    #: The paper that proves it; empty where no paper says such a thing.
    evidence = models.ForeignKey(
        DocumentRequest, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: What the provider's operations call it.
    provider_reference = models.CharField(max_length=100, blank=True)
    #: What the customer is told about a refusal.
    refused_because = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "request"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "owner", "field"],
                name="change_request_one_open",
                condition=Q(status__in=["requested", "passed_on"]),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "passed_on", "confirmed", "refused", "withdrawn"]),
                name="change_request_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"change request {str(self.pk)[-8:]}"


class ClosureRequest(Stateful):
    """A customer's wish to close the account. It ends when the provider says that the account is closed."""

    class Status(models.TextChoices):
        ASKED = "asked", "Looked at by us"
        PASSED_ON = "passed_on", "With the provider"
        CLOSED = "closed", "Closed"
        REFUSED = "refused", "Not accepted"
        WITHDRAWN = "withdrawn", "Withdrawn"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.ASKED: frozenset({Status.PASSED_ON, Status.REFUSED, Status.WITHDRAWN, Status.CLOSED}),
        Status.PASSED_ON: frozenset({Status.CLOSED, Status.REFUSED, Status.WITHDRAWN}),
        Status.CLOSED: frozenset(),
        Status.REFUSED: frozenset(),
        Status.WITHDRAWN: frozenset(),
    }
    BY_PERSON: ClassVar[frozenset[tuple[str, str]]] = frozenset(
        {
            (Status.ASKED, Status.PASSED_ON),
            (Status.PASSED_ON, Status.REFUSED),
            (Status.PASSED_ON, Status.WITHDRAWN),
        }
    )
    OPEN: ClassVar[frozenset[str]] = frozenset({Status.ASKED, Status.PASSED_ON})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="closures")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ASKED)
    requested_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    #: What the customer is told about a refusal.
    refused_because = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "closing"
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                name="closure_one_open",
                condition=Q(status__in=["asked", "passed_on"]),
            ),
            models.CheckConstraint(
                condition=Q(status__in=["asked", "passed_on", "closed", "refused", "withdrawn"]),
                name="closure_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"closure {str(self.pk)[-8:]}"
