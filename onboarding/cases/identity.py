"""Cases about the identity check: calling the customer before it is too late, and what to do when it is."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import notices
from onboarding.identity import checks
from onboarding.jobs import lock_account
from onboarding.models import IdentityCheck, IdentityLink
from portal.ui.time import moment_words


def _check(subject_id: UUID) -> IdentityCheck | None:
    rows = IdentityCheck.objects.select_related("account__application__customer__user")
    return rows.filter(pk=subject_id).first()


def _evidence(case: Case) -> Sequence[kinds.Section]:
    check = _check(case.subject_id)
    if check is None:
        return ()
    links = IdentityLink.objects.filter(identity_check=check, round=check.round).defer("url").order_by("pk")
    return (
        kinds.Section(
            "The identity check",
            (
                kinds.Row("Account reference", check.account.client_account_id),
                kinds.Row("State", check.get_status_display()),
                kinds.Row("Links that ran out", str(check.expirations)),
                kinds.Row("Present link works until", _until(check)),
                kinds.Row("Last answer of the provider", check.problem or "A link"),
            ),
        ),
        kinds.Section("Its links", comparison=_links(links)),
    )


def _until(check: IdentityCheck) -> str:
    return moment_words(check.expires_at) if check.expires_at else "There is none"


def _links(links: QuerySet[IdentityLink]) -> kinds.Comparison:
    return kinds.Comparison(
        ("Link", "How it came", "Opened", "End"),
        tuple(
            (
                f"{link.number}, {moment_words(link.issued_at)}",
                link.get_source_display(),
                moment_words(link.opened_at) if link.opened_at else "No",
                link.get_end_display() or "Works",
            )
            for link in links
        ),
    )


def _page(subject_id: UUID) -> str:
    check = _check(subject_id)
    return reverse("staff:application", args=[check.account.application_id]) if check else ""


def _lock(subject_id: UUID) -> None:
    check = _check(subject_id)
    if check is not None:
        checks.locked_check(lock_account(check.account_id))


def _reached(ruling: kinds.Ruling) -> str:
    return "The customer does the check from their page.."


def _missed(ruling: kinds.Ruling) -> str:
    check = _check(ruling.case.subject_id)
    if check is None or not check.account.application.customer.user.is_active:
        return "Nothing was written: the customer's login is switched off."
    notices.identity_call_missed(check.account.application)
    return "The customer got a letter that asks them to call back."


def _with_provider(ruling: kinds.Ruling) -> str:
    return "With the provider. The case closes by itself when they ask for the check anew or decide."


call = kinds.CaseKind(
    name=checks.CALL,
    title="Call the customer about the identity check",
    purpose=(
        "The customer's last link is out, the links have run out, or the provider refused a new one. A call now saves "
        "the application: ask what keeps them, and whether they declined the consent on the provider's page."
    ),
    checklist=(kinds.CheckItem("called", "Called, at two different times of day where nobody answered"),),
    decisions=(
        kinds.Decision("reached", "Reached: will do it", effect=_reached),
        kinds.Decision(
            "cannot",
            "Reached: cannot or will not do it",
            "Write what keeps them. If they declined consent, a manager can ask for a link on the application's page.",
            effect=lambda _: "Noted on the case.",
            needs_text=True,
        ),
        kinds.Decision(
            "missed", "Could not reach", "They get a letter that asks them to call back.", effect=_missed
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    lock=_lock,
    priority=Case.Priority.HIGH,
    due_after=timedelta(days=1),
)

exhausted = kinds.CaseKind(
    name=checks.EXHAUSTED,
    title="Identity check has no links left",
    purpose=(
        "Three links ran out and the provider gives no more. Ask the provider's compliance team whether they open the "
        "check anew, and tell the customer. The customer's page says that we do."
    ),
    checklist=(
        kinds.CheckItem(
            "customer", "Spoken with the customer: they want to go on, and know what to have at hand"
        ),
    ),
    decisions=(
        kinds.Decision(
            "with_provider",
            "The provider's compliance team opens it anew",
            "Ask them first, with the account reference above. Their next event ends this case.",
            effect=_with_provider,
            closes=False,
        ),
        kinds.Decision(
            "ended",
            "It does not go on",
            "The customer does not want to, or the provider will not. Write what was agreed; tell the customer.",
            effect=lambda _: "Noted on the case. The provider's own verdict still counts when it comes.",
            needs_text=True,
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    lock=_lock,
    priority=Case.Priority.HIGH,
    due_after=timedelta(days=2),
    balls={
        Case.Status.DECIDED: kinds.Words("provider", "With the provider's compliance team", "Their event"),
    },
)
