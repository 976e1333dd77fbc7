"""Funding's part in what is read across the portal: the audit trail, case files, erasure, and what may be revealed."""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.db.models import Model, Q
from django.urls import reverse

from compliance.casefile.content import rows
from compliance.casefile.hooks import Contribution
from funding.models import (
    Authorisation,
    BankLogin,
    LedgerBalance,
    LinkedBank,
    LinkSession,
    Transfer,
    TransferLimit,
    WireRecipient,
)
from funding.models.ledger import Book
from onboarding.models import Customer, Owner, ProviderAccount
from onboarding.personal import holder_of
from portal import audit
from portal.revealing import Field, Holder
from portal.ui.plain import name_words

Subject = tuple[str, UUID]
#: Each kind of thing, and the way from it to its account.
ROUTES: tuple[tuple[type[Model], str], ...] = (
    (Transfer, "account"),
    (LinkedBank, "account"),
    (BankLogin, "account"),
    (LinkSession, "account"),
    (WireRecipient, "account"),
    (TransferLimit, "account"),
    (Authorisation, "transfer__account"),
)
#: So many of an account's newest things of each kind; nobody reads more of them together.
MOST = 200
RECIPIENT = WireRecipient._meta.label_lower


def named(text: str) -> Iterable[Subject]:
    """What a reference of a transfer or a bank names, and what belongs to the account of an account id."""
    if not text:
        return []
    found = [
        (model._meta.label_lower, key)
        for model in (Transfer, LinkedBank)
        for key in model._default_manager.filter(reference=text).values_list("pk", flat=True)[:MOST]
    ]
    accounts = ProviderAccount.objects.filter(
        Q(client_account_id=text) | Q(application__reference=text.upper())
    )
    keys = list(accounts.values_list("pk", flat=True)[:MOST])
    return [*found, *belongings(keys)] if keys else found


def belongings(accounts: Iterable[UUID]) -> list[Subject]:
    """The things of these accounts that the trail tells of, the newest of each kind."""
    return [
        (model._meta.label_lower, key)
        for model, route in ROUTES
        for key in model._default_manager.filter(**{f"{route}__in": accounts})
        .order_by("-pk")
        .values_list("pk", flat=True)[:MOST]
    ]


def subjects(text: str) -> list[UUID]:
    """The transfers, banks and logins whose cases a customer's whole e-mail address, an account id or a reference
    names."""
    of_customer = Q(account__application__customer__user__email__iexact=text)
    where = of_customer if "@" in text else Q(account__client_account_id=text)
    by_reference = where if "@" in text else where | Q(reference=text)
    return [
        key
        for model, wanted in ((Transfer, by_reference), (LinkedBank, by_reference), (BankLogin, where))
        for key in model._default_manager.filter(wanted).order_by("-pk").values_list("pk", flat=True)[:MOST]
    ]


def page_of(model: type[Model], route: str) -> Callable[[UUID], str]:
    """Where staff see a thing of that kind: a transfer on its page, the rest among the account's transfers."""

    def page(key: UUID) -> str:
        if model is Transfer:
            return reverse("funding_staff:transfer", args=[key])
        account = model._default_manager.filter(pk=key).values_list(route, flat=True).first()
        return f"{reverse('funding_staff:transfers')}?account={account}" if account else ""

    return page


def contribution_of(subject: type[Model]) -> Callable[[UUID], Contribution]:
    """What there is to tell of a transfer, a bank or a login in the file of its case."""

    def tell(key: UUID) -> Contribution:
        account = subject._default_manager.filter(pk=key).values_list("account_id", flat=True).first()
        return _of_account(account) if account else Contribution()

    return tell


def _of_account(account: UUID) -> Contribution:
    """The account's money, masked."""
    data = {}
    for model, route in ROUTES:
        found = rows(model._default_manager.filter(**{route: account}).order_by("-pk")[:MOST])
        if found:
            title = name_words(str(model._meta.verbose_name_plural))
            data[title] = [audit.masked(row) for row in found]
    return Contribution(data=data, audit=belongings([account]))


def obstacles(customer: Customer) -> list[str]:
    """What of a customer's money stands against erasing them."""
    accounts = ProviderAccount.objects.filter(application__customer=customer)
    found = []
    if Transfer.objects.filter(account__in=accounts, status__in=Transfer.UNDER_WAY).exists():
        found.append("Money is under way: a transfer has neither arrived nor failed.")
    balances = LedgerBalance.objects.filter(account__in=accounts, book=Book.AVAILABLE).exclude(amount_minor=0)
    if balances.exists():
        found.append("The balance of an account is not zero.")
    # The tokens of a login that Plaid knows still are a way into the customer's bank.
    open_logins = BankLogin.objects.filter(account__in=accounts).exclude(
        status__in=[BankLogin.Status.FAILED, BankLogin.Status.REMOVED]
    )
    live = LinkedBank.objects.filter(account__in=accounts, status__in=LinkedBank.LIVE)
    if live.exists() or open_logins.exists():
        found.append("A bank is linked still. Have it unlinked first, on the page of its account.")
    return found


def fields() -> list[Field]:
    """What may be revealed: the numbers of the bank account to which a wire goes."""
    return [
        Field(f"{RECIPIENT}.account_number", "Account number of a wire", _of_recipient),
        Field(f"{RECIPIENT}.routing_number", "Routing number of a wire", _of_recipient),
    ]


def _of_recipient(row_id: UUID) -> Holder | None:
    row = WireRecipient.objects.select_related("account__application").filter(pk=row_id).first()
    if row is None:
        return None
    people = Owner.objects.filter(application=row.account.application_id, is_applicant=True)
    return holder_of(row.account.application, people)
