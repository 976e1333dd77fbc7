"""Banks that customers linked, each the one from and to which an account's ACH transfers go."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from onboarding.models import ProviderAccount
from portal import clock, ids
from portal.sealed import SealedTextField, blind_index
from portal.states import Stateful


class LinkedBank(Stateful):
    """One bank account of one customer, linked at the provider. One live per account (contract, question 30)."""

    class Status(models.TextChoices):
        REVIEW = "review", "We look at it"
        LINKING = "linking", "Being linked"
        PENDING = "pending", "Waiting for the provider"
        ACTIVE = "active", "Linked"
        SIGN_IN = "sign_in", "Sign in at your bank again"
        UNLINKING = "unlinking", "Being unlinked"
        UNLINKED = "unlinked", "Unlinked"
        REFUSED = "refused", "Not linked"

    class Owner(models.TextChoices):
        MATCH = "match", "The customer's name"
        CLOSE = "close", "Nearly the customer's name"
        MISMATCH = "mismatch", "Another name"
        #: Unknown is not mismatch (contract Plaid, section 3): the bank told no name.
        UNKNOWN = "unknown", "The bank told no name"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.REVIEW: frozenset({Status.LINKING, Status.REFUSED}),
        Status.LINKING: frozenset(
            {
                Status.REVIEW,
                Status.PENDING,
                Status.ACTIVE,
                Status.REFUSED,
                Status.UNLINKING,
                Status.UNLINKED,
            }
        ),
        Status.PENDING: frozenset({Status.ACTIVE, Status.REFUSED, Status.UNLINKING, Status.UNLINKED}),
        Status.ACTIVE: frozenset({Status.SIGN_IN, Status.UNLINKING, Status.UNLINKED}),
        Status.SIGN_IN: frozenset({Status.ACTIVE, Status.UNLINKING, Status.UNLINKED}),
        Status.UNLINKING: frozenset({Status.UNLINKED, Status.ACTIVE}),
        Status.UNLINKED: frozenset(),
        Status.REFUSED: frozenset(),
    }
    #: A case asks a person about a bank whose owner has another name.
    BY_PERSON: ClassVar[frozenset[tuple[str, str]]] = frozenset({(Status.REVIEW, Status.LINKING)})
    #: Until the provider's word comes: on the way to being linked, or unlinked.
    ON_WAY: ClassVar[frozenset[str]] = frozenset({Status.LINKING, Status.PENDING, Status.UNLINKING})
    LIVE: ClassVar[frozenset[str]] = frozenset(
        {Status.REVIEW, Status.LINKING, Status.PENDING, Status.ACTIVE, Status.SIGN_IN, Status.UNLINKING}
    )

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="banks")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.LINKING)
    institution = models.CharField(max_length=120)
    name = models.CharField(max_length=120, blank=True)
    #: The last two to four digits, as the bank shows them.
    mask = models.CharField(max_length=4, blank=True)
    subtype = models.CharField(max_length=10, choices=[("checking", "Checking"), ("savings", "Savings")])
    owner = models.CharField(max_length=8, choices=Owner.choices, default=Owner.UNKNOWN)
    owner_score = models.PositiveSmallIntegerField(null=True, blank=True)
    #: Plaid's key of the connection and of the account in it; both case-sensitive. Empty when linked another way.
    item_id = models.CharField(max_length=128, blank=True)
    plaid_account_id = models.CharField(max_length=128, blank=True)
    access_token = SealedTextField(mask="none", null=True, blank=True)
    #: Keyed hash of what Plaid knows the account itself by, in whoever's login; empty where the bank gives none
    #: (funding/shared_bank.py).
    same_account = models.CharField(max_length=64, blank=True, editable=False, default="", db_default="")
    #: Our partnerTransactionRef of linking, and of unlinking; each of the request that was sent last.
    reference = models.CharField(max_length=40, unique=True)
    unlink_reference = models.CharField(max_length=40, blank=True)
    login = models.ForeignKey(
        "BankLogin", on_delete=models.PROTECT, null=True, blank=True, related_name="banks"
    )
    #: What the provider or the bank said against it, in words for staff, and its code.
    problem = models.CharField(max_length=300, blank=True)
    problem_code = models.CharField(max_length=64, blank=True)
    #: Days that a deposit from it is held longer than others, after returns (funding/returns.py).
    extra_hold_days = models.PositiveSmallIntegerField(default=0)
    #: The return code for which no deposit is asked of it until a person allows it; empty: nothing stops them.
    stopped_for = models.CharField(max_length=8, blank=True)
    linked_at = models.DateTimeField(null=True, blank=True)
    #: Since when nobody knows whether it is linked, and a person finds out (funding/bank_given_up.py).
    stuck_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "linked bank"
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                name="bank_one_live",
                condition=Q(status__in=["review", "linking", "pending", "active", "sign_in", "unlinking"]),
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "review",
                        "linking",
                        "pending",
                        "active",
                        "sign_in",
                        "unlinking",
                        "unlinked",
                        "refused",
                    ]
                ),
                name="bank_status_known",
            ),
        ]
        indexes = [
            models.Index(fields=["item_id"], name="bank_item", condition=~Q(item_id="")),
            models.Index(fields=["same_account"], name="bank_same_account", condition=~Q(same_account="")),
            models.Index(
                fields=["account", "-id"], name="bank_same_of_account", condition=~Q(same_account="")
            ),
            models.Index(
                fields=["status_at"],
                name="bank_on_way",
                condition=Q(status__in=["linking", "pending", "unlinking"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} ··{self.mask}"

    @staticmethod
    def same_account_hash(persistent_id: str) -> str:
        """Under which the account is found that Plaid knows by this; empty for none."""
        return blind_index("funding.linkedbank.same_account", persistent_id, "exact") if persistent_id else ""
