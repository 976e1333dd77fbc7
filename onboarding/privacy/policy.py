"""How long each class of data is kept, from when, and why: the one table, carried out every night (retention.py).

A manager or administrator may change the days on a page (RetentionPeriod), never below what the law asks (`least`).
Under a legal hold nothing of the customer goes. The audit trail, status changes and what people decided in cases are no
class here: they hold masks and stay.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from compliance.models import CaseFile
from onboarding.models import (
    Application,
    Customer,
    Document,
    LegalHold,
    Owner,
    ProviderAccount,
    RetentionPeriod,
    StepEntries,
)
from onboarding.privacy import attachments, elsewhere, erasing
from portal.mail import to_index
from portal.models import IdempotentRequest, MailMessage, Reveal

#: Five years, with the leap days they may hold.
FIVE_YEARS = 5 * 365 + 2
NO_LONGER_NEEDED = (
    "Kept no longer than needed: 16 CFR 314.4(c)(6) (GLBA Safeguards), Cal. Civ. Code 1798.100(c)"
)
CIP = "31 CFR 1020.220(a)(3)(ii) (CIP: five years after the account is closed), 31 CFR 1010.430(d)"
Status = Application.Status


@dataclass(frozen=True)
class DataClass:
    """One class of data: what it is, how many days after which event it goes, and what asks for that."""

    code: str
    title: str
    what: str
    event: str
    days: int
    law: str
    #: The rows whose event was before that moment, without those under a legal hold.
    rows: Callable[[datetime], QuerySet[Any]]
    #: Erase one locked row.
    erase: Callable[[Any], object]
    least: int = 1


def held(user_path: str) -> Exists:
    """Whether the customer of a row is under a legal hold; the path leads to their user."""
    return Exists(LegalHold.objects.filter(lifted_at=None, customer__user=OuterRef(user_path)))


def _applications(**where: Any) -> QuerySet[Application]:
    """Applications with something to erase, of which no person is under a legal hold."""
    of_owner = LegalHold.objects.filter(
        lifted_at=None, customer__user__ownerships__application=OuterRef("pk")
    )
    rows = Application.objects.filter(erased_at=None, **where)
    return rows.exclude(held("customer__user")).exclude(Exists(of_owner))


def _drafts(before: datetime) -> QuerySet[Application]:
    return _applications(status=Status.WITHDRAWN, submitted_at=None, status_at__lte=before)


def _closed(before: datetime) -> QuerySet[Application]:
    return _applications(account__status=ProviderAccount.Status.CLOSED, account__status_at__lte=before)


def _refused(before: datetime) -> QuerySet[Application]:
    ended = Q(status=Status.REJECTED) | Q(status=Status.WITHDRAWN, submitted_at__isnull=False)
    none = Q(account=None) | Q(account__status=ProviderAccount.Status.INACTIVE)
    return _applications(status_at__lte=before).filter(ended & none)


def _papers(before: datetime) -> QuerySet[Document]:
    never_passed_on = Document.objects.filter(provider_id="", status_at__lte=before)
    gone = Q(status__in=[Document.Status.REFUSED, Document.Status.REPLACED, Document.Status.QUARANTINED])
    rows = never_passed_on.filter(gone | Q(verdict="rejected", decided_at__lte=before))
    return rows.exclude(held("application__customer__user"))


def _typed(before: datetime) -> QuerySet[StepEntries]:
    return StepEntries.objects.filter(kept_at__lte=before).exclude(held("application__customer__user"))


def _mails(before: datetime) -> QuerySet[MailMessage]:
    held = LegalHold.objects.filter(lifted_at=None).values_list("customer__user__email", flat=True)
    rows = MailMessage.objects.filter(created_at__lte=before).exclude(state=MailMessage.State.QUEUED)
    return rows.exclude(to_index__in=[to_index(address) for address in held])


def _removed(row: Model) -> None:
    row.delete()


def _ended(application: Application) -> None:
    """Erase it, and the login with the last one: nobody has asked anything of it for years."""
    erasing.erase_application(application)
    customer = (
        Customer.objects.select_for_update(of=("self",))
        .select_related("user")
        .get(pk=application.customer_id)
    )
    if not is_needed(customer):
        erasing.erase_traces(customer.user)
        elsewhere.erase_of_user(customer.user)
        erasing.erase_login(customer)
        customer.restricted_at = customer.restricted_until = None
        customer.save(update_fields=["restricted_at", "restricted_until"])


def is_needed(customer: Customer) -> bool:
    """Whether anything is left that the login belongs to: an application of theirs, or a part in another's."""
    parts = Owner.objects.filter(user=customer.user_id, application__erased_at=None)
    return customer.applications.filter(erased_at=None).exists() or parts.exists()


CLASSES: list[DataClass] = [
    DataClass(
        "drafts_ended",
        "Applications never handed in",
        "Answers, papers and what was typed",
        "The draft was withdrawn or given up",
        90,
        NO_LONGER_NEEDED,
        _drafts,
        erasing.erase_application,
    ),
    DataClass(
        "accounts_closed",
        "Closed accounts",
        "Identity, papers, agreements accepted, calls to the provider",
        "The account was closed",
        FIVE_YEARS,
        CIP,
        _closed,
        _ended,
        least=FIVE_YEARS,
    ),
    DataClass(
        "applications_refused",
        "Applications that led to no account",
        "Identity, papers, agreements accepted, calls to the provider",
        "The application was refused or withdrawn after it was handed in",
        FIVE_YEARS,
        "31 CFR 1010.430(d) (records of the Bank Secrecy Act: five years)",
        _refused,
        _ended,
        least=FIVE_YEARS,
    ),
    DataClass(
        "papers_refused",
        "Papers that were no use",
        "Files refused, replaced or held back that the provider never got",
        "It was refused, replaced or held back",
        90,
        NO_LONGER_NEEDED,
        _papers,
        lambda row: erasing.erase_documents(Document.objects.filter(pk=row.pk)),
    ),
    DataClass(
        "case_files",
        "Files attached to cases about no customer",
        "What staff attached to cases about nobody's account; other attachments go with the account",
        "The case was decided or closed",
        FIVE_YEARS,
        "31 CFR 1010.430(d) (records of the Bank Secrecy Act: five years)",
        attachments.of_nobody,
        lambda row: attachments.erase(CaseFile.objects.filter(pk=row.pk)),
        least=FIVE_YEARS,
    ),
    DataClass(
        "typed",
        "What was typed and never saved",
        "Half-filled steps",
        "It was typed last",
        60,
        NO_LONGER_NEEDED,
        _typed,
        _removed,
    ),
    DataClass(
        "mails",
        "Mails",
        "Letters the portal wrote, with their addresses",
        "It was written",
        180,
        NO_LONGER_NEEDED,
        _mails,
        _removed,
        least=7,
    ),
    DataClass(
        "api_answers",
        "Remembered answers of the API",
        "What a repeated request is answered with",
        "The request came",
        30,
        NO_LONGER_NEEDED,
        lambda before: IdempotentRequest.objects.filter(created_at__lte=before).exclude(held("user")),
        _removed,
        least=2,
    ),
    DataClass(
        "sessions",
        "Sessions that have run out",
        "Who was signed in",
        "It ran out",
        1,
        NO_LONGER_NEEDED,
        lambda before: Session.objects.filter(expire_date__lte=before),
        _removed,
    ),
    DataClass(
        "reveals",
        "Grants of revealed data",
        "Who was shown what, when and why; the audit trail keeps it beyond",
        "It was granted",
        FIVE_YEARS,
        "31 CFR 1010.430(d); reviewed weekly until then",
        lambda before: Reveal.objects.filter(at__lte=before),
        _removed,
        least=365,
    ),
]
BY_CODE = {one.code: one for one in CLASSES}


def register(kind: DataClass) -> None:
    """Have another app's class of data looked after with ours; called once, when the app starts."""
    if kind.code not in BY_CODE:
        CLASSES.append(kind)
        BY_CODE[kind.code] = kind


def days_of(code: str) -> int:
    """How many days the class is kept: as somebody set it, else as the table says."""
    changed = RetentionPeriod.objects.filter(code=code).values_list("days", flat=True).first()
    return max(changed or BY_CODE[code].days, BY_CODE[code].least)


def kept_until(application: Application) -> date | None:
    """Until when the law keeps an ended application; None when nothing does. The caller knows that it has ended."""
    account = getattr(application, "account", None)
    if account is None and application.submitted_at is None:
        return None
    if account is not None and account.status == ProviderAccount.Status.CLOSED:
        closed: date = (account.status_at + timedelta(days=days_of("accounts_closed"))).date()
        return closed
    return (application.status_at + timedelta(days=days_of("applications_refused"))).date()
