"""Staff pages of agreements: their versions, what publishing would ask of people, and who accepted."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from onboarding.agreements import acceptance as acceptances
from onboarding.agreements import certificate, impact, selectors, versions
from onboarding.agreements.forms import DraftForm, NewDraftForm, initial_of
from onboarding.agreements.history import history_of
from onboarding.models import Agreement
from onboarding.views.agreements_shared import download, pager_urls, scope_rows
from portal import permissions
from portal.errors import Conflict, Invalid
from portal.staff import staff_page, user_of
from providers.forms import ReasonForm

Status = Agreement.Status
TONES = {Status.DRAFT: "info", Status.PUBLISHED: "success", Status.RETIRED: "neutral"}


@require_GET
@staff_page
def agreements(request: HttpRequest) -> HttpResponse:
    """Every version, newest first, with its state and how many accepted it."""
    chosen = request.GET.get("status", "")
    page, counts = selectors.agreements_for_staff(
        user_of(request),
        status=chosen,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    tabs = [
        {"label": label, "url": f"?status={value}" if value else request.path, "current": chosen == value}
        for value, label in [("", "All"), *Status.choices]
    ]
    return _page(
        request,
        "staff_list",
        rows=[
            {"agreement": row, "tone": TONES[Status(row.status)], "accepted": counts.get(row.pk, 0)}
            for row in page.rows
        ],
        tabs=tabs,
        **pager_urls(page, {"status": chosen}),
    )


@require_GET
@staff_page
def agreement(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """One version: its text, whom it binds, who has yet to accept, its letters and its history."""
    actor = user_of(request)
    found = selectors.agreement_for_staff(actor, agreement_id)
    published = found.status == Status.PUBLISHED
    return _page(
        request,
        "staff_detail",
        agreement=found,
        tone=TONES[Status(found.status)],
        scope=scope_rows(found),
        accepted=found.acceptances.count(),
        impact=impact.impact_of(found) if published else None,
        letters=impact.letters_of(found) if published else [],
        history=history_of(found),
    )


@require_http_methods(["GET", "POST"])
@staff_page
def start(request: HttpRequest) -> HttpResponse:
    """A new draft; `?of=` names the version it starts from."""
    actor = user_of(request)
    permissions.require(actor, versions.MANAGE)
    if request.method == "POST":
        form = NewDraftForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                draft = versions.draft_start(
                    actor=actor,
                    name=form.cleaned_data["name"],
                    version=form.cleaned_data["version"],
                    content=form.content,
                    source="page",
                )
            except Conflict as error:
                form.add_error("version", error.message)
            else:
                messages.success(request, "The draft is kept. Look at the preview, then publish it.")
                return redirect("staff:agreement", draft.pk)
    else:
        form = NewDraftForm(initial=_first(request))
    return _page(
        request,
        "staff_draft",
        status=422 if form.errors else 200,
        form=form,
        title="New version",
        back=reverse("staff:agreements"),
    )


def _first(request: HttpRequest) -> dict[str, Any]:
    try:
        earlier = selectors.agreement_for_staff(user_of(request), UUID(request.GET.get("of", "")))
    except ValueError:
        return {"format": Agreement.Format.MARKDOWN}
    return initial_of(earlier) | {"revision": None}


@require_http_methods(["GET", "POST"])
@staff_page
def edit(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Change a draft."""
    actor = user_of(request)
    permissions.require(actor, versions.MANAGE)
    found = selectors.agreement_for_staff(actor, agreement_id)
    if found.status != Status.DRAFT:
        raise Conflict("This version is published, and a published text never changes. Start a new version.")
    if request.method == "POST":
        form = DraftForm(request.POST, request.FILES, has_document=found.is_pdf)
        if form.is_valid():
            try:
                versions.draft_edit(
                    actor=actor,
                    agreement_id=found.pk,
                    revision=form.cleaned_data["revision"] or 0,
                    content=form.content,
                    source="page",
                )
            except Conflict as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, "The draft is kept.")
                return redirect("staff:agreement", found.pk)
    else:
        form = DraftForm(initial=initial_of(found), has_document=found.is_pdf)
    return _page(
        request,
        "staff_draft",
        status=422 if form.errors else 200,
        form=form,
        title=f"Edit {found.title}",
        back=reverse("staff:agreement", args=[found.pk]),
    )


@require_GET
@staff_page
def preview(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """A version as the customer will see it."""
    found = selectors.agreement_for_staff(user_of(request), agreement_id)
    return _page(request, "preview", agreement=found)


@require_GET
@staff_page
def publish(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """The first step of publishing: who must sign, and when letters go."""
    actor = user_of(request)
    found = _draft_to_publish(request, agreement_id)
    page = impact.owners_to_sign(
        actor, found, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    return _page(
        request,
        "staff_impact",
        agreement=found,
        replaced=selectors.replaced_by(found),
        scope=scope_rows(found),
        impact=impact.impact_of(found),
        letters=impact.letters_of(found),
        rows=page.rows,
        confirm_url=f"{reverse('staff:agreement_confirm', args=[found.pk])}?revision={found.revision}",
        **pager_urls(page, {}),
    )


@require_http_methods(["GET", "POST"])
@staff_page
def confirm(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """The second step: say yes to the very draft whose effect was shown."""
    found = _draft_to_publish(request, agreement_id)
    given = request.POST if request.method == "POST" else request.GET
    revision = int(word) if (word := given.get("revision", "")).isdecimal() and len(word) < 10 else 0
    if request.method == "POST":
        versions.draft_publish(
            actor=user_of(request), agreement_id=found.pk, revision=revision, source="page"
        )
        messages.success(request, f"{found.title}, version {found.version}, is in force.")
        return redirect("staff:agreement", found.pk)
    if revision != found.revision:
        return redirect("staff:agreement_publish", found.pk)
    return _page(
        request,
        "staff_publish",
        agreement=found,
        replaced=selectors.replaced_by(found),
        impact=impact.impact_of(found),
        letters=impact.letters_of(found),
    )


def _draft_to_publish(request: HttpRequest, agreement_id: UUID) -> Agreement:
    permissions.require(user_of(request), versions.MANAGE)
    found = selectors.agreement_for_staff(user_of(request), agreement_id)
    if found.status != Status.DRAFT:
        raise Conflict("This version is published already.")
    return found


@require_http_methods(["GET", "POST"])
@staff_page
def retire(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Take a version out of force with none in its place, for a reason."""
    actor = user_of(request)
    permissions.require(actor, versions.MANAGE)
    found = selectors.agreement_for_staff(actor, agreement_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            versions.agreement_retire(
                actor=actor, agreement_id=found.pk, reason=form.cleaned_data["reason"], source="page"
            )
        except Invalid as error:
            form.add_error("reason", error.fields["reason"])
        else:
            messages.success(request, f"{found.title}, version {found.version}, is no longer in force.")
            return redirect("staff:agreement", found.pk)
    return _page(
        request, "staff_retire", status=422 if form.is_bound else 200, agreement=found, reason_form=form
    )


@require_GET
@staff_page
def accepted(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """Who accepted a version."""
    actor = user_of(request)
    found = selectors.agreement_for_staff(actor, agreement_id)
    page = selectors.acceptances_for_staff(
        actor, found, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    return _page(request, "staff_accepted", agreement=found, rows=page.rows, **pager_urls(page, {}))


@require_GET
@staff_page
def acceptance(request: HttpRequest, acceptance_id: UUID) -> HttpResponse:
    """One acceptance: what its certificate says, and the codes that prove a certificate ours."""
    found = acceptances.acceptance_for_staff(user_of(request), acceptance_id)
    return _page(
        request,
        "staff_acceptance",
        acceptance=found,
        lines=certificate.certificate_lines(found),
        codes=certificate.check_codes(found),
    )


@require_GET
@staff_page
def certificate_file(request: HttpRequest, acceptance_id: UUID) -> HttpResponse:
    """The certificate as PDF."""
    actor = user_of(request)
    found = acceptances.acceptance_for_staff(actor, acceptance_id)
    content = certificate.certificate_pdf(found, actor=actor, source="page")
    return download(content, f"acceptance-{found.pk}.pdf")


def _page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    may_manage = permissions.can_do(user_of(request), versions.MANAGE)
    everywhere = {"nav_section": "agreements", "may_manage": may_manage}
    return render(request, f"onboarding/agreements/{name}.html", everywhere | context, status=status)
