"""On the way to a linked bank: one opening of Plaid's Link, and the login at a bank that came of it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from funding.models.banks import LinkedBank
from onboarding.models import ProviderAccount
from portal import clock, ids
from portal.models import User
from portal.sealed import SealedJSONField, SealedTextField
from portal.states import Stateful


class LinkSession(models.Model):
    """One opening of Link by a customer. Its webhooks name the token alone, so its hash finds the session."""

    class Purpose(models.TextChoices):
        NEW = "new", "Link a bank"
        #: Under the same tokens: nothing is exchanged afterwards (contract plaid.md, section 6).
        UPDATE = "update", "Sign in again"

    class Outcome(models.TextChoices):
        OPEN = "", "Open"
        SUCCESS = "success", "Finished"
        EXITED = "exited", "Left"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="link_sessions")
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=6, choices=Purpose.choices, default=Purpose.NEW)
    #: The bank that asks for a new sign-in, in update mode.
    bank = models.ForeignKey(
        LinkedBank, on_delete=models.PROTECT, null=True, blank=True, related_name="sessions"
    )
    token_hash = models.CharField(max_length=64, unique=True)
    token = SealedTextField(mask="none", null=True, blank=True)
    #: Plaid's own page; whoever has it can link.
    hosted_url = SealedTextField(mask="none", null=True, blank=True)
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.OPEN, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["account", "-created_at"], name="link_session_account")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}, {self.get_outcome_display().lower()}"

    @property
    def is_open(self) -> bool:
        """Whether the customer may still go on with it."""
        return self.finished_at is None and self.expires_at > clock.now()


class BankLogin(Stateful):
    """A login at a bank that a customer gave (Plaid's Item), one row per public token, whoever brought the token."""

    class Status(models.TextChoices):
        READING = "reading", "We read which accounts there are"
        CHOOSE = "choose", "Choose an account"
        #: The linked bank is unlinked first.
        REPLACING = "replacing", "The bank before is being unlinked"
        USED = "used", "In use"
        FAILED = "failed", "Could not be read"
        REMOVING = "removing", "Being removed"
        REMOVED = "removed", "Removed"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.READING: frozenset({Status.CHOOSE, Status.FAILED}),
        Status.CHOOSE: frozenset({Status.USED, Status.REPLACING, Status.REMOVING}),
        Status.REPLACING: frozenset({Status.USED, Status.REMOVING, Status.CHOOSE}),
        Status.USED: frozenset({Status.REPLACING, Status.REMOVING}),
        Status.FAILED: frozenset({Status.REMOVING}),
        Status.REMOVING: frozenset({Status.REMOVED}),
        Status.REMOVED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="bank_logins")
    session = models.ForeignKey(LinkSession, on_delete=models.PROTECT, related_name="logins")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.READING)
    #: Several ways bring the same public token; it works once.
    token_hash = models.CharField(max_length=64, unique=True)
    #: Plaid's name of it, which webhooks bring; case-sensitive. Empty until the token was exchanged.
    item_id = models.CharField(max_length=128, blank=True)
    access_token = SealedTextField(mask="none", null=True, blank=True)
    #: When an exchange was asked for whose answer is not here, so that Plaid may hold an Item whose token nobody has.
    exchange_asked_at = models.DateTimeField(null=True, blank=True)
    institution = models.CharField(max_length=120, blank=True)
    #: What may be chosen from, as Plaid told it: a list of {id, name, mask, subtype, offered}.
    accounts = SealedJSONField(mask="none", null=True, blank=True)
    #: The one that was chosen.
    plaid_account_id = models.CharField(max_length=128, blank=True)
    problem_code = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "login at a bank"
        constraints = [
            models.UniqueConstraint(
                fields=["item_id"], name="bank_login_item_once", condition=~Q(item_id="")
            ),
            models.UniqueConstraint(
                fields=["account"], name="bank_login_one_replacing", condition=Q(status="replacing")
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "reading",
                        "choose",
                        "replacing",
                        "used",
                        "failed",
                        "removing",
                        "removed",
                    ]
                ),
                name="bank_login_status_known",
            ),
        ]
        indexes = [models.Index(fields=["account", "-created_at"], name="bank_login_account")]

    def __str__(self) -> str:
        return f"{self.institution or 'A bank'}, {self.get_status_display().lower()}"
