"""Transfers: every movement of money into and out of an account, asked for by us or not."""

from typing import TYPE_CHECKING, ClassVar

from django.db import models, transaction
from django.db.models import F, Q

from funding.models.banks import LinkedBank
from funding.models.ledger import post
from onboarding.models import ProviderAccount
from portal import clock, ids
from portal.money import Money
from portal.sealed import BlindIndexField, SealedTextField
from portal.states import Stateful

if TYPE_CHECKING:
    from portal.models import User


class WireRecipient(models.Model):
    """Where a wire withdrawal goes: an account in the customer's own name (contract 5.2, wireWithdrawDetails)."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="wire_recipients")
    bank_name = models.CharField(max_length=140)
    bank_address = models.CharField(max_length=300)
    routing_number = SealedTextField(mask="last4")
    account_number = SealedTextField(mask="last4")
    #: Of both numbers together: who else sends money to the same account (funding/shared_bank.py).
    numbers_index = BlindIndexField(source="account_number", beside="routing_number", db_default="")
    swift_code = models.CharField(max_length=11, blank=True)
    added_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["account", "-id"], name="recipient_of_account")]

    def __str__(self) -> str:
        return f"{self.bank_name}"


class Transfer(Stateful):
    """One movement of money. Its ledger entries follow from its status (funding/models/ledger.py).

    `origin` PROVIDER: it came without a request of ours (contract 7.4): an inbound wire, a fee, an adjustment, a trade.
    """

    class Status(models.TextChoices):
        HELD = "held", "Waiting for approval"
        REQUESTED = "requested", "Requested"
        SENT = "sent", "Sent"
        PENDING = "pending", "On its way"
        COMPLETED = "completed", "Completed"
        DECLINED = "declined", "Declined"
        FAILED = "failed", "Failed"
        RETURNED = "returned", "Returned"
        CANCELLED = "cancelled", "Cancelled"

    class Direction(models.TextChoices):
        DEPOSIT = "deposit", "Deposit"
        WITHDRAWAL = "withdrawal", "Withdrawal"

    class Rail(models.TextChoices):
        ACH = "ach", "ACH"
        WIRE = "wire", "Wire"
        #: Bookings at the provider that move nothing between banks.
        BOOK = "book", "Booking"

    class Kind(models.TextChoices):
        TRANSFER = "transfer", "Transfer"
        TRADE = "trade", "Trade"
        RETURN_FEE = "return_fee", "Fee for a returned transfer"
        WRITE_OFF = "write_off", "Write-off"
        ADJUSTMENT = "adjustment", "Adjustment"

    class Origin(models.TextChoices):
        CUSTOMER = "customer", "Customer"
        APP = "app", "Customer's app"
        STAFF = "staff", "Staff"
        PROVIDER = "provider", "Provider"

    _HEARD: ClassVar[frozenset[str]] = frozenset(
        {Status.COMPLETED, Status.DECLINED, Status.FAILED, Status.RETURNED, Status.CANCELLED}
    )
    # A webhook may come before the answer to the call, and leave out any step (contract 7.5). "Completed" is not the
    # end of an ACH transfer: a return reverses it days later.
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.HELD: frozenset({Status.REQUESTED, Status.CANCELLED}),
        Status.REQUESTED: _HEARD | {Status.SENT, Status.PENDING},
        Status.SENT: _HEARD | {Status.PENDING},
        Status.PENDING: _HEARD,
        Status.COMPLETED: frozenset({Status.RETURNED}),
        Status.DECLINED: frozenset(),
        Status.FAILED: frozenset(),
        Status.RETURNED: frozenset(),
        Status.CANCELLED: frozenset(),
    }
    BY_PERSON: ClassVar[frozenset[tuple[str, str]]] = frozenset({(Status.HELD, Status.REQUESTED)})
    #: Money that was asked for and has neither arrived nor failed.
    UNDER_WAY: ClassVar[frozenset[str]] = frozenset(
        {Status.HELD, Status.REQUESTED, Status.SENT, Status.PENDING}
    )
    ENDED_BADLY: ClassVar[frozenset[str]] = frozenset(
        {Status.DECLINED, Status.FAILED, Status.RETURNED, Status.CANCELLED}
    )

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="transfers")
    bank = models.ForeignKey(
        LinkedBank, null=True, blank=True, on_delete=models.PROTECT, related_name="transfers"
    )
    recipient = models.ForeignKey(
        WireRecipient, null=True, blank=True, on_delete=models.PROTECT, related_name="transfers"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.REQUESTED)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.TRANSFER)
    direction = models.CharField(max_length=10, choices=Direction.choices)
    rail = models.CharField(max_length=4, choices=Rail.choices)
    origin = models.CharField(max_length=8, choices=Origin.choices)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="USD")
    #: Our partnerTransactionRef, the only join with webhooks (contract 5.2). Of what the provider began: theirs.
    reference = models.CharField(max_length=255, unique=True)
    requested_by = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    #: Why it waits for approval: codes of funding/standing words.
    held_for = models.JSONField(default=list, blank=True)
    #: The provider's own words, verbatim, and when they reached us last.
    provider_word = models.CharField(max_length=64, blank=True)
    reason_code = models.CharField(max_length=64, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    #: What was said against it, in words for staff; `reason_code` has the provider's code.
    problem = models.CharField(max_length=300, blank=True)
    #: The business day by which it should be there, and from when a deposit may be withdrawn.
    expected_on = models.DateField(null=True, blank=True)
    release_on = models.DateField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    #: Since when its call waits for a person.
    stuck_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "transfer"
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="transfer_amount_positive"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "held",
                        "requested",
                        "sent",
                        "pending",
                        "completed",
                        "declined",
                        "failed",
                        "returned",
                        "cancelled",
                    ]
                ),
                name="transfer_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(origin="provider", status__in=["held", "requested", "sent"]),
                name="transfer_of_provider_is_heard",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-created_at", "-id"], name="transfer_of_account"),
            models.Index(fields=["-created_at", "-id"], name="transfer_list"),
            models.Index(fields=["status", "-created_at", "-id"], name="transfer_by_status"),
            models.Index(fields=["-amount_minor", "-id"], name="transfer_by_amount"),
            models.Index(fields=["-stuck_at"], name="transfer_stuck", condition=Q(stuck_at__isnull=False)),
            models.Index(
                fields=["reason_code", "-created_at", "-id"],
                name="transfer_by_reason",
                condition=~Q(reason_code=""),
            ),
            # What is rare in the list of staff: walking it from the newest on would find a page of it late.
            models.Index(
                fields=["kind", "-created_at", "-id"],
                name="transfer_by_kind",
                condition=~Q(kind="transfer"),
            ),
            models.Index(
                fields=["-created_at", "-id"], name="transfer_by_staff", condition=Q(origin="staff")
            ),
            models.Index(
                F("account"),
                F("release_on"),
                name="transfer_unreleased",
                condition=Q(direction="deposit", status="completed", release_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"transfer {self.short}"

    @property
    def short(self) -> str:
        """What people read to each other: the last eight characters of its key."""
        return str(self.pk)[-8:].upper()

    @property
    def amount(self) -> Money:
        """The amount, positive; `direction` says which way."""
        return Money(self.amount_minor, self.currency)

    @property
    def is_deposit(self) -> bool:
        """Whether the money comes in."""
        return self.direction == self.Direction.DEPOSIT

    def enter(self) -> None:
        """Write the first ledger entry of a transfer just created, in the caller's transaction where there is one."""
        with transaction.atomic():
            post(self)

    def move_to(self, new: str, *, actor: "User | None", reason: str = "", source: str = "") -> None:
        """As every move; the ledger moves with it, in the same transaction."""
        with transaction.atomic():
            super().move_to(new, actor=actor, reason=reason, source=source)
            post(self)
