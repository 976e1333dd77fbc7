"""What customers are told about their money, and what of it they chose to be told."""

from django.db import models

from funding.models.transfers import Transfer
from portal import clock, ids


class NoticeKind(models.TextChoices):
    """What happened. Those of ALWAYS are told whatever was chosen: somebody else may have caused them."""

    REQUESTED = "requested", "A transfer was asked for"
    ON_ITS_WAY = "on_its_way", "Money is on its way"
    COMPLETED = "completed", "Money has arrived"
    RELEASED = "released", "A deposit can be withdrawn"
    NOT_MADE = "not_made", "A transfer was not made"
    RETURNED = "returned", "A transfer was returned"
    CANCELLED = "cancelled", "A transfer was cancelled"
    WIRE_ACCOUNT = "wire_account", "A bank account for wires was added or removed"
    PAPER = "paper", "We ask you for a paper"
    NEW_BANK = "new_bank", "We ask you to link another bank account"
    BANK = "bank", "Your bank was linked, unlinked or asks for a sign-in"


ALWAYS = frozenset(
    {
        NoticeKind.REQUESTED,
        NoticeKind.RETURNED,
        NoticeKind.WIRE_ACCOUNT,
        NoticeKind.BANK,
        # These wait for the customer.
        NoticeKind.PAPER,
        NoticeKind.NEW_BANK,
    }
)


class Notice(models.Model):
    """One thing that one customer was told, once for each transfer and kind; a transfer's words are made when shown."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    user = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="money_notices")
    kind = models.CharField(max_length=12, choices=NoticeKind.choices)
    transfer = models.ForeignKey(
        Transfer, null=True, blank=True, on_delete=models.PROTECT, related_name="notices"
    )
    #: What happened, where no transfer says it.
    title = models.CharField(max_length=60, blank=True, default="")
    #: Whether it is in the customer's list: they may have chosen letters alone, or neither.
    listed = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transfer", "kind"], name="notice_once", condition=models.Q(transfer__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="notice_of_user", condition=models.Q(listed=True)),
        ]

    def __str__(self) -> str:
        return f"notice {self.kind}"


class NoticeChoice(models.Model):
    """How a customer wants to hear of one kind; without a row by letter and in the list."""

    user = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=NoticeKind.choices)
    by_mail = models.BooleanField(default=True)
    in_list = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notice_choice_one")]

    def __str__(self) -> str:
        return f"choice for {self.kind}"
