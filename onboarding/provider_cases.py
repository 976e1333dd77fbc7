"""Which case the provider's words about an account open, and what ends it.

One table: the reason says what a person has to do, and where it says nothing particular, the status does. The cases
themselves are in onboarding/cases/provider.py.
"""

from dataclasses import dataclass
from datetime import timedelta

from compliance import services as compliance
from compliance.models import Case
from onboarding import party
from onboarding.models import Application, Owner, ProviderAccount
from portal import clock

Status = ProviderAccount.Status

REVIEW = "onboarding.provider_review"
IDENTITY = "onboarding.identity_failed"
SANCTIONS = "onboarding.sanctions"
TAX_NUMBER = "onboarding.tax_number"
SUSPENDED = "onboarding.suspended"
RETURNS = "onboarding.ach_returns"
LIQUIDATION = "onboarding.liquidation"
KINDS = (REVIEW, IDENTITY, SANCTIONS, TAX_NUMBER, SUSPENDED, RETURNS, LIQUIDATION)

_BY_REASON = {
    "RISK_OFAC": SANCTIONS,
    "TAX_ID_MAX_RETRIES": TAX_NUMBER,
    "MAX_ACH_RETURNS": RETURNS,
    "LIQUIDATE_ACCOUNT": LIQUIDATION,
    "LIQUIDATED": LIQUIDATION,
}
_BY_STATUS = {
    Status.UNDER_REVIEW: REVIEW,
    Status.INACTIVE: IDENTITY,
    Status.SUSPENDED: SUSPENDED,
    Status.LIQUIDATE_ONLY: LIQUIDATION,
}
#: A review is the provider's to end: somebody of ours asks how it stands when it takes longer.
ASK_AFTER = timedelta(days=4)


@dataclass(frozen=True)
class Word:
    """A pair of words of the provider, as the account held it."""

    status: str
    reason: str

    @classmethod
    def of(cls, account: ProviderAccount) -> "Word":
        """The account's present one."""
        return cls(account.party_status, account.party_reason)


def kind_for(account: ProviderAccount) -> str:
    """The kind of case that the account's present state asks for; "" for none.

    Documents to be shown have a case of their own (onboarding/identity/checks.py).
    """
    if account.status in {Status.PENDING, Status.DOCUMENTS_NEEDED, Status.CLOSED}:
        return ""
    return _BY_REASON.get(account.party_reason) or _BY_STATUS.get(Status(account.status), "")


def heard(account: ProviderAccount, before: Word, *, was: str, source: str) -> None:
    """The provider said something of the locked account: open what it asks for, end what it settles.

    `before` and `was` are the words and our status as they stood. The same words again change nothing.
    """
    if Word.of(account) == before:
        return
    kind = kind_for(account)
    open_ones = Case.objects.filter(kind__in=KINDS, subject_id=account.pk).exclude(status__in=Case.DONE)
    ended = [name for name in open_ones.values_list("kind", flat=True) if name != kind]
    words = f"{account.party_status} {account.party_reason}"
    for name in ended:
        if account.held_at and account.status != Status.CLOSED:
            # Our hold is ours to release: the case stays with whoever put it.
            _tell(account, name, f"The provider says {words}. Our own hold stands.", was=was, source=source)
        else:
            reason = f"The provider says {words}."
            compliance.case_settle(kind=name, subject=subject_of(account), reason=reason, source=source)
    if kind:
        _tell(account, kind, f"The provider says {words}", was=was, source=source)


def _tell(account: ProviderAccount, kind: str, title: str, *, was: str, source: str) -> None:
    assert account.heard_at is not None
    compliance.case_open(
        kind=kind,
        subject=subject_of(account),
        title=title,
        facts={
            "reference": account.client_account_id,
            "said": f"{account.party_status} {account.party_reason}",
            "means": party.REASONS.get(account.party_reason, ""),
            "account before": Status(was).label,
            "account now": account.get_status_display(),
        },
        source=source,
        # The account's row is locked and the same words were left out: each change of them counts once.
        dedupe=f"{account.party_status}:{account.party_reason}:{account.heard_at.isoformat()}",
        rests=compliance.Rest("provider", clock.now() + ASK_AFTER) if kind == REVIEW else None,
    )


def answered(application: Application, title: str, *, dedupe: str) -> None:
    """The customer did what was asked of them: cases that waited for it come back. On the locked application."""
    account = ProviderAccount.objects.filter(application=application).values_list("pk", flat=True).first()
    subjects = [key for key in (application.pk, account) if key]
    waiting = Case.objects.filter(subject_id__in=subjects, status=Case.Status.WAITING_CUSTOMER)
    for case in waiting.order_by("pk"):
        compliance.case_open(
            kind=case.kind,
            subject=compliance.Subject(case.subject_type, case.subject_id, case.subject_label),
            title=title,
            facts={"reference": application.reference},
            source="page",
            dedupe=dedupe,
        )


def subject_of(account: ProviderAccount) -> compliance.Subject:
    """The account as its cases are about it."""
    owner = Owner.objects.get(application=account.application_id, is_applicant=True)
    return compliance.Subject.of(account, f"{owner.full_name}, {account.client_account_id}")
