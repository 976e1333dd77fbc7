"""Asking for a copy of one's data or for its erasure, and what a person decides about it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from compliance import services as compliance
from compliance.models import Case
from onboarding.models import (
    Application,
    Customer,
    DataRequest,
    Document,
    Owner,
    ProviderAccount,
)
from onboarding.personal import subjects_of
from onboarding.privacy import elsewhere, erasing, policy
from onboarding.privacy.holds import open_hold
from onboarding.services.applications import customer_of
from portal import audit, clock, mail, permissions
from portal.doorbell import ring
from portal.errors import Conflict, Invalid, NotFound
from portal.models import OutboundCall, User

Kind, Status = DataRequest.Kind, DataRequest.Status
CASE_KINDS = {Kind.EXPORT: "onboarding.data_export", Kind.ERASURE: "onboarding.data_erasure"}
#: The last day by law: 45 days in the United States (11 CCR 7021), a month elsewhere (GDPR Art. 12(3)).
DAYS_US, DAYS_ELSEWHERE = 45, 30
MAKE_TASK = "onboarding.tasks.data_export_make"
LONGEST = 500
_ENDED = (Application.Status.REJECTED, Application.Status.WITHDRAWN)

#: What other apps know against an erasure: (customer) -> sentences. Whoever moves money registers running transfers.
_obstacles: list[Callable[[Customer], list[str]]] = []


def register_obstacle(found: Callable[[Customer], list[str]]) -> None:
    """Have an app say what of its own stands against the erasure of a customer."""
    if found not in _obstacles:
        _obstacles.append(found)


# --- Asking -------------------------------------------------------------------------------------------------


def why_not_ask(customer: Customer | None, kind: str) -> list[str]:
    """Every reason why this cannot be asked for now; empty when it can."""
    if customer is None:
        return []
    same = customer.data_requests.filter(kind=kind, status__in=DataRequest.OPEN)
    return ["It was asked for already, and we are at it."] if same.exists() else []


def data_request_ask(
    *, actor: User, kind: str, source: str, customer_id: UUID | None = None, verified_how: str = ""
) -> DataRequest:
    """Ask for a copy or for erasure: a customer for themselves, staff for a customer once they know who asks.

    Asking twice is asking once. Raises Forbidden, NotFound, and Invalid for the kind or a missing verification.
    """
    if kind not in Kind.values:
        raise Invalid("Choose what to ask for.", fields={"kind": ["Choose what to ask for."]})
    if actor.is_staff_member:
        permissions.require(actor, "privacy.ask")
        verified_how = " ".join(verified_how.replace("\x00", "").split())
        if not 5 <= len(verified_how) <= 300:
            problem = "Say how you made sure that the customer asks, in 5 to 300 characters."
            raise Invalid(problem, fields={"verified_how": [problem]})
    else:
        customer_id, verified_how = customer_of(actor).pk, ""
    with transaction.atomic():
        customer = _locked_customer(customer_id)
        known = customer.data_requests.filter(kind=kind, status__in=DataRequest.OPEN).first()
        if known is not None:
            return known
        request = DataRequest.objects.create(
            customer=customer,
            kind=kind,
            asked_by=actor,
            verified_how=audit.masked({"how": verified_how})["how"],
            due_on=_due_on(customer),
        )
        audit.record("privacy.ask", subject=request, actor=actor, source=source, after={"kind": kind})
        compliance.case_open(
            kind=CASE_KINDS[Kind(kind)],
            subject=_subject(request),
            title=f"Asked for: {request.get_kind_display().lower()}",
            facts={"by": "staff" if actor.is_staff_member else "customer", "last_day": str(request.due_on)},
            source=source,
            dedupe="asked",
            actor=actor if actor.is_staff_member else None,
        )
    return request


def _due_on(customer: Customer) -> date:
    lives = Owner.objects.filter(application__customer=customer, is_applicant=True).values_list(
        "country", flat=True
    )
    is_us = all(str(country) == "US" for country in lives)
    return clock.today() + timedelta(days=DAYS_US if is_us else DAYS_ELSEWHERE)


def data_request_withdraw(*, actor: User, request_id: UUID, source: str) -> None:
    """The customer does not want it any more. Raises NotFound for another's, IllegalMove once it was decided."""
    with transaction.atomic():
        request = _locked(request_id)
        if request.customer.user_id != actor.pk:
            raise NotFound("There is no such request.")
        request.move_to(Status.WITHDRAWN, actor=actor, source=source)
        compliance.case_settle(
            kind=CASE_KINDS[Kind(request.kind)],
            subject=_subject(request),
            reason="The customer took it back.",
            source=source,
        )


def _subject(request: DataRequest) -> compliance.Subject:
    return compliance.Subject.of(
        request, request.customer.user.name or f"Customer {str(request.customer_id)[-8:]}"
    )


def _locked_customer(customer_id: UUID | None) -> Customer:
    if customer_id is None:
        raise NotFound("There is no such customer.")
    rows = Customer.objects.select_for_update(of=("self",)).select_related("user")
    customer = rows.filter(pk=customer_id).first()
    if customer is None:
        raise NotFound("There is no such customer.")
    return customer


def _locked(request_id: UUID) -> DataRequest:
    """The request with its customer, locked parent before child."""
    customer_id = DataRequest.objects.filter(pk=request_id).values_list("customer", flat=True).first()
    customer = _locked_customer(customer_id)
    request = DataRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    request.customer = customer
    return request


def lock(request_id: UUID) -> None:
    """What the effects of a decision need locked, before the case is."""
    if DataRequest.objects.filter(pk=request_id).exists():
        _locked(request_id)


# --- Deciding; each in the decision's transaction -----------------------------------------------------------


def refuse(request_id: UUID, reason: str, *, actor: User) -> None:
    """It is not granted; the customer is told why."""
    if len(reason) > LONGEST:
        raise Invalid("Too long.", fields={"text": [f"Use at most {LONGEST} characters."]})
    request = _locked(request_id)
    request.refused_because = reason
    request.save(update_fields=["refused_because"])
    request.move_to(Status.REFUSED, actor=actor, source="case")
    tell(request, "About your request", "data_request_refused")


def grant_export(request_id: UUID, *, actor: User) -> None:
    """Have the copy put together."""
    request = _locked(request_id)
    request.move_to(Status.PREPARING, actor=actor, source="case")
    ring(MAKE_TASK, request.pk, queue="bulk")


def reasons_for_customer(customer: Customer | None) -> list[str]:
    """What the customer can do something about before an erasure. Holds and cases are not theirs to know of."""
    if customer is None:
        return []
    rows = customer.applications.filter(erased_at=None).select_related("account")
    return [
        f"{row.reference} is not closed. Close the account or withdraw it first."
        for row in rows
        if _is_open(row)
    ]


def why_not_erase(customer: Customer) -> list[str]:
    """Every reason why nothing of the customer can be erased now, each with what helps; empty when it can."""
    reasons = []
    hold = open_hold(customer)
    if hold is not None:
        reasons.append(
            f"A legal hold stands since {hold.placed_at:%B %d, %Y}. Lift it first, if it no longer holds."
        )
    subjects: list[UUID] = []
    for application in customer.applications.filter(erased_at=None).select_related("account"):
        subjects += [*subjects_of(application), *elsewhere.subjects(application)]
        if _is_open(application):
            reasons.append(
                f"{application.reference} is {application.get_status_display().lower()} and not closed. "
                "Have it closed or withdrawn first."
            )
    calls = OutboundCall.objects.filter(subject_id__in=subjects).exclude(status__in=OutboundCall.FINAL)
    if calls.exists():
        reasons.append("A call to the provider is under way. Wait for its answer, or settle it.")
    cases = Case.objects.filter(~Q(status__in=Case.DONE), subject_id__in=subjects)
    reasons += [
        f"Case {reference} is open. Decide it first."
        for reference in cases.values_list("reference", flat=True)
    ]
    if customer.data_requests.filter(kind=Kind.EXPORT, status__in=DataRequest.OPEN).exists():
        reasons.append("A copy of the data was asked for and not given yet. Give it first.")
    for found in _obstacles:
        reasons += found(customer)
    return reasons


def _is_open(application: Application) -> bool:
    account: ProviderAccount | None = getattr(application, "account", None)
    if account is not None:
        return account.status not in {ProviderAccount.Status.CLOSED, ProviderAccount.Status.INACTIVE}
    return application.status not in {*_ENDED, Application.Status.DRAFT}


def erase(request_id: UUID, *, actor: User) -> str:
    """Erase what need not be kept, shut the rest away until its day, tell the customer both. Raises Conflict.

    A letter goes to the address as it was before it may be erased.
    """
    request = _locked(request_id)
    customer = request.customer
    if reasons := why_not_erase(customer):
        raise Conflict(" ".join(reasons))
    address, name = customer.user.email, customer.user.name
    erased: list[dict[str, str]] = []
    kept: list[dict[str, str]] = []
    rows = customer.applications.select_for_update(of=("self",)).filter(erased_at=None).order_by("pk")
    for application in rows.select_related("account"):
        _erase_or_keep(application, actor, erased, kept)
    traces = erasing.erase_traces(customer.user)
    erased += [
        {"what": f"{what}: {count}"}
        for what, count in (
            ("Letters we wrote", traces["mails"]),
            ("Sessions on your devices", traces["sessions"]),
            ("Remembered answers of the app", traces["requests"]),
            *elsewhere.erase_of_user(customer.user).items(),
        )
        if count
    ]
    erasing.erase_labels(
        [row.pk for row in customer.data_requests.all()], f"Customer {str(customer.pk)[-8:]}"
    )
    if Owner.objects.filter(user=customer.user, is_applicant=False, application__erased_at=None).exists():
        kept.append(
            {
                "what": "Your part of an account that others hold",
                "why": "It is theirs too",
                "until": "while it is kept",
            }
        )
    _shut_or_forget(customer, kept, erased)
    request.erased, request.kept = erased, kept
    request.save(update_fields=["erased", "kept"])
    request.move_to(Status.DONE, actor=actor, source="case")
    audit.record(
        "privacy.erase",
        subject=request,
        actor=actor,
        source="case",
        after={"erased": len(erased), "kept": len(kept), "until": str(customer.restricted_until or "")},
    )
    _send(address, name, "Your data was erased", "data_erased", erased=erased, kept=kept)
    return f"{len(erased)} erased, {len(kept)} kept. The customer was told which, why and until when."


def _erase_or_keep(
    application: Application, actor: User, erased: list[dict[str, str]], kept: list[dict[str, str]]
) -> None:
    until = policy.kept_until(application)
    if until is None:
        if application.status == Application.Status.DRAFT:
            application.move_to(Application.Status.WITHDRAWN, actor=actor, reason="erased", source="case")
        erasing.erase_application(application)
        erased.append(
            {"what": f"Application {application.reference}, which was never handed in, with its papers"}
        )
        return
    useless = Document.objects.filter(application=application, provider_id="").filter(
        Q(status__in=[Document.Status.REFUSED, Document.Status.REPLACED]) | Q(verdict="rejected")
    )
    if count := erasing.erase_documents(useless):
        erased.append({"what": f"Papers of {application.reference} that were no use: {count}"})
    # The cases of it stand in lists: from now on without the name.
    erasing.erase_labels([*subjects_of(application), *elsewhere.subjects(application)], application.reference)
    for what, number in elsewhere.erase_useless(application).items():
        erased.append({"what": f"{what} of {application.reference}: {number}"})
    if application.entries.exists():
        application.entries.all().delete()
        erased.append({"what": f"What was typed and not saved in {application.reference}"})
    account: ProviderAccount | None = getattr(application, "account", None)
    was_open = account is not None and account.status == ProviderAccount.Status.CLOSED
    code = "accounts_closed" if was_open else "applications_refused"
    kept.append(
        {
            "what": f"Identity, papers and agreements of {application.reference}",
            "why": policy.BY_CODE[code].law,
            "until": until.isoformat(),
        }
    )
    kept += [
        {"what": what, "why": law, "until": until.isoformat()} for what, law in elsewhere.kept(application)
    ]


def _shut_or_forget(customer: Customer, kept: list[dict[str, str]], erased: list[dict[str, str]]) -> None:
    dates = [date.fromisoformat(row["until"]) for row in kept if row["until"][:2] == "20"]
    if dates:
        customer.restricted_at, customer.restricted_until = clock.now(), max(dates)
        customer.save(update_fields=["restricted_at", "restricted_until"])
    if kept:
        kept.append(
            {
                "what": "Your login and e-mail address",
                "why": "So that you can read this page",
                "until": max(dates).isoformat() if dates else "while that is kept",
            }
        )
    else:
        erasing.erase_login(customer)
        erased.append({"what": "Your login, name and e-mail address"})


def tell(request: DataRequest, subject: str, template: str, **facts: Any) -> None:
    """A letter about a request; what it came to stands on the page."""
    _send(request.customer.user.email, request.customer.user.name, subject, template, **facts)


def _send(address: str, name: str, subject: str, template: str, **facts: Any) -> None:
    mail.send(to=address, subject=subject, template=template, context={"name": name, **facts})
