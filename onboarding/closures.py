"""Closing an account at the customer's wish: the row that asks, and what ends it."""

from compliance import services as compliance
from compliance.models import Case
from onboarding.models import ClosureRequest, Owner, ProviderAccount
from portal import audit, clock

Status = ClosureRequest.Status
KIND = "onboarding.closure"


def open_one(account: ProviderAccount) -> ClosureRequest | None:
    """The account's closing that is under way, locked."""
    rows = ClosureRequest.objects.select_for_update(of=("self",))
    return rows.filter(account=account, status__in=ClosureRequest.OPEN).first()


def subject_of(closure: ClosureRequest, account: ProviderAccount) -> compliance.Subject:
    """The closing as its case is about it."""
    owner = Owner.objects.get(application=account.application_id, is_applicant=True)
    return compliance.Subject.of(closure, f"{owner.full_name}, {account.client_account_id}")


def asked(account: ProviderAccount, *, is_asked: bool) -> None:
    """Keep on the account, which lists read, whether a closing is under way."""
    account.closing_asked_at = clock.now() if is_asked else None
    account.save(update_fields=["closing_asked_at"])


def account_closed(account: ProviderAccount, *, source: str) -> None:
    """The provider says that the locked account is closed: what asked for it ends, and its case with it."""
    closure = open_one(account)
    if closure is None:
        return
    closure.move_to(Status.CLOSED, actor=None, source=source)
    asked(account, is_asked=False)
    audit.record(
        "account.closure_done", subject=account.application, source=source, after={"closure": str(closure.pk)}
    )
    end_case(closure, account, "The provider closed the account.", source=source)


def end_case(closure: ClosureRequest, account: ProviderAccount, reason: str, *, source: str) -> None:
    """Close the closing's case, whether it was decided or not."""
    settled = compliance.case_settle(
        kind=KIND, subject=subject_of(closure, account), reason=reason, source=source
    )
    if settled is None:
        case = Case.objects.filter(kind=KIND, subject_id=closure.pk, status=Case.Status.DECIDED).first()
        if case is not None:
            compliance.case_close(case_id=case.pk, reason=reason, source=source)
