"""Cases about the identity check: calling the customer before it is too late, and what to do when it is."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import notices, second_person
from onboarding.cases import asking, traits
from onboarding.dossier import anchors
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
    return "The customer does the check from their page."


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
    title="Identity check by document",
    purpose=(
        "The provider wants the customer to prove their identity with a paper and a picture of their face. The case "
        "waits for them as long as their link works. It is back when the link ran out, when the last one is out, or "
        "when the provider refused one: a call now saves the application. Ask what keeps them, and whether they "
        "declined the consent on the provider's page."
    ),
    checklist=(kinds.CheckItem("called", "Called, at two different times of day where nobody answered"),),
    decisions=(
        kinds.Decision("reached", "Reached: will do it", effect=_reached),
        kinds.Decision(
            "cannot",
            "Reached: cannot or will not do it",
            "Write what keeps them. If they declined consent, a manager can ask for a link on the application's page.",
            effect=lambda _: "Noted on the case.",
            reasons={
                "consent": "Declined the consent",
                "device": "No phone or camera that works",
                "paper": "No valid paper",
                "unwilling": "Does not want to",
            },
            needs_text=True,
        ),
        kinds.Decision(
            "missed", "Could not reach", "They get a letter that asks them to call back.", effect=_missed
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    anchor=anchors.of_case,
    ask_url=asking.page,
    lock=_lock,
    traits=traits.of_identity_check,
    ruled_out=second_person.about((IdentityCheck, "account__application")),
    priority=Case.Priority.NORMAL,
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
            reasons={
                "customer": "The customer does not want to",
                "provider": "The provider will not open it anew",
                "not_reached": "The customer cannot be reached",
            },
            needs_text=True,
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    anchor=anchors.of_case,
    ask_url=asking.page,
    lock=_lock,
    traits=traits.of_identity_check,
    ruled_out=second_person.about((IdentityCheck, "account__application")),
    priority=Case.Priority.HIGH,
    due_after=timedelta(days=2),
    balls={
        Case.Status.DECIDED: kinds.Words("provider", "With the provider's compliance team", "Their event"),
    },
)
