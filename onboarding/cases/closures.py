"""A customer asks to close the account: the provider's operations do it by hand."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import closures
from onboarding.cases import traits
from onboarding.models import ClosureRequest
from onboarding.services import closures as services


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


kind = kinds.CaseKind(
    name=closures.KIND,
    title="Account to be closed",
    purpose="A customer wants the account closed. The provider's operations close it; their event ends this case. "
    "If they refuse, or the customer changes their mind after it was passed on, reopen the case and decide again.",
    checklist=(
        kinds.CheckItem("empty", "Nothing left in it: sold, withdrawn, or settled with the customer"),
    ),
    decisions=(
        kinds.Decision(
            "pass_on",
            "Passed on to the provider's operations",
            "Write to them first, with what stands above. The customer can no longer take it back.",
            effect=_pass_on,
            closes=False,
        ),
        kinds.Decision(
            "refuse",
            "Refuse",
            "What you write is told to the customer, word for word.",
            effect=_refuse,
            needs_text=True,
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
    lock=_lock,
    traits=traits.of_closure,
    due_after=timedelta(days=2),
    balls={Case.Status.DECIDED: kinds.Words("provider", "With the provider's operations", "Their event")},
)
