"""A customer asks to close the account: the provider's operations do it by hand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import closures, second_person
from onboarding.cases import asking, holding, traits
from onboarding.dossier import anchors
from onboarding.models import ClosureRequest
from onboarding.services import closures as services
from portal.models import Role


def _evidence(case: Case) -> Sequence[kinds.Section]:
    closure = (
        ClosureRequest.objects.select_related("account", "requested_by").filter(pk=case.subject_id).first()
    )
    if closure is None:
        return ()
    account = closure.account
    return (
        kinds.Section(
            "What the provider's operations need",
            (
                kinds.Row("clientAccountId", account.client_account_id),
                kinds.Row("Account id at the provider", account.provider_id or "Not known"),
                kinds.Row("Account status", account.get_status_display()),
                kinds.Row("Asked by", closure.requested_by.label),
                kinds.Row("How far", closure.get_status_display()),
            ),
        ),
    )


def _page(subject_id: UUID) -> str:
    account = ClosureRequest.objects.filter(pk=subject_id).values_list("account__application", flat=True)
    application_id = account.first()
    return reverse("staff:application", args=[application_id]) if application_id else ""


def _lock(subject_id: UUID) -> None:
    if ClosureRequest.objects.filter(pk=subject_id).exists():
        services.locked_closure(subject_id)


def _pass_on(ruling: kinds.Ruling) -> str:
    services.pass_on(ruling.case.subject_id, actor=ruling.actor)
    return "With the provider. The case closes by itself when they say that the account is closed."


def _refuse(ruling: kinds.Ruling) -> str:
    services.refuse(ruling.case.subject_id, ruling.text, actor=ruling.actor)
    return "The account stays open; the customer was told why."


def _keep(ruling: kinds.Ruling) -> str:
    services.keep(ruling.case.subject_id, actor=ruling.actor)
    return (
        "The account stays open, as the customer wishes. Tell the provider's operations if it was passed on."
    )


def _tell_held(case: Case, until: datetime) -> None:
    """Only who asked for it waits for it: one that we want ourselves is not told so."""
    if ClosureRequest.objects.filter(pk=case.subject_id, requested_by__role=Role.CUSTOMER).exists():
        _tells(case, until)


_tells = holding.tells("Closing your account")

kind = kinds.CaseKind(
    name=closures.KIND,
    title="Account to be closed",
    purpose="A customer, or a decision of ours, wants the account closed. The provider's operations close it; their "
    "event ends this case. If they refuse, or the customer changes their mind after it was passed on, reopen the case "
    "and decide again.",
    checklist=(
        kinds.CheckItem("who", "Asked by the customer themselves, or by a case that says why"),
        kinds.CheckItem("empty", "Nothing left in it: sold, withdrawn, or settled with the customer"),
    ),
    decisions=(
        kinds.Decision(
            "pass_on",
            "Passed on to the provider's operations",
            "Write to them first, with what stands above. The customer can no longer take it back.",
            effect=_pass_on,
            closes=False,
            verdict="approved",
        ),
        kinds.Decision(
            "refuse",
            "Refuse",
            "What you write is told to the customer, word for word.",
            effect=_refuse,
            reasons={
                "under_way": "A transfer or order is under way",
                "owed": "The customer owes money",
                "investigation": "Something is being looked into",
                "not_empty": "Not empty yet",
            },
            needs_text=True,
            verdict="refused",
        ),
        kinds.Decision(
            "keep",
            "The customer keeps the account",
            "They told us so. Once it was passed on, have the provider's operations confirm that they stop.",
            effect=_keep,
            needs_text=True,
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    anchor=anchors.of_case,
    ask_url=asking.page,
    tell_held=_tell_held,
    lock=_lock,
    ruled_out=second_person.about((ClosureRequest, "account__application")),
    traits=traits.of_closure,
    due_after=timedelta(days=2),
    balls={Case.Status.DECIDED: kinds.Words("provider", "With the provider's operations", "Their event")},
)
