"""The pages of a draft: its steps, its people, its agreements, and the review."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from onboarding import availability, completeness, drafts, selectors, services
from onboarding.answer_words import shown
from onboarding.completeness import StepState
from onboarding.drafts import Draft
from onboarding.forms import StepForm, step_form
from onboarding.models import Application, Owner, OwnerInvitation
from onboarding.requirements import Step, StepName, several_people
from onboarding.views.people import people_page
from onboarding.views.shared import (
    acceptances_of,
    correction_links,
    customer_page,
    own_part_url,
    person_links,
    state_url,
    step_links,
    summary_sections,
)
from onboarding.views.typed import seen_of
from portal.errors import DomainError, Invalid, NotFound, PreconditionFailed
from portal.staff import user_of


@require_http_methods(["GET", "POST"])
@customer_page
def step(request: HttpRequest, application_id: UUID, name: str, owner_id: UUID | None = None) -> HttpResponse:
    """One step: show what was saved and typed, check and keep what comes in, go on to the next open one."""
    user = user_of(request)
    application = selectors.application_with_part(user, application_id)
    draft = drafts.load(application)
    part = draft.part_of(user)
    if not application.is_editable:
        return redirect(_status_url(application, part))
    found = draft.step(name, owner_id)
    if found is None or (not part.is_applicant and found[1] != part):
        raise NotFound("There is no such step.")
    asked, owner = found
    if owner is not None and not draft.shows_answers_of(owner, user):
        messages.info(request, f"{owner.full_name or 'This person'} fills in their own part.")
        return redirect(people_page(application))
    if asked.name == StepName.AGREEMENTS:
        return _agreements(request, draft, asked, owner)
    if request.method == "GET":
        form = step_form(asked)(kept=draft.shown(asked, owner), initial=_first(draft, asked, owner))
        return _step_page(request, draft, owner, form)
    form = step_form(asked)(request.POST, kept=draft.shown(asked, owner, request.POST.getlist("forget")))
    if not form.is_valid():
        return _step_page(request, draft, owner, form, status=422)
    try:
        services.step_save(
            actor=user_of(request),
            application_id=application.pk,
            step=name,
            owner_id=owner_id,
            answers=form.answers,
            source="page",
            step_version=form.cleaned_data["step_version"] or 0,
            entries_seen=seen_of(request),
        )
    except PreconditionFailed:
        fresh = drafts.load(application)
        return _step_page(request, fresh, owner, form, status=409, theirs=fresh.shown(asked, owner))
    return _onward(request, application, asked, owner)


def _first(draft: Draft, asked: Step, owner: Owner | None) -> dict[str, Any]:
    """What an empty step starts from: what is known of the person already, and where they live."""
    applicant = draft.applicant
    country = str((owner or applicant).country)
    found: dict[str, Any] = {field.name: country for field in asked.fields if field.name.endswith("_country")}
    if owner is not None:
        found |= {"given_name": owner.given_name, "family_name": owner.family_name}
        if asked.name == StepName.CONTACT:
            login = draft.application.customer.user if owner.is_applicant else owner.user
            mail = owner.email or (login.email if login else "")
            found["email"] = mail
    return found | {"mailing_same": True}


def _onward(request: HttpRequest, application: Application, asked: Step, owner: Owner | None) -> HttpResponse:
    if "save_and_leave" in request.POST:
        messages.success(request, "Saved. Come back any time, on any device.")
        return redirect("customer:home")
    states = completeness.step_states(application)
    if owner is not None and owner.fills_in_themselves:
        return redirect(own_part_url(application, states, owner))
    owner_id = owner.pk if owner and not owner.is_applicant else None
    place = next(
        (
            at
            for at, state in enumerate(states)
            if state.step.name == asked.name and state.owner_id == owner_id
        ),
        -1,
    )
    if owner_id:
        # A person is finished before the list of people comes back.
        own = next(
            (state for state in states[place + 1 :] if state.owner_id == owner_id and not state.done), None
        )
        if own is None or own.step.name == StepName.AGREEMENTS:
            return redirect("customer:step", application.pk, StepName.OWNERS)
        return redirect(state_url(application, own))
    following = [state for state in states[place + 1 :] if _to_visit(state)]
    open_state = following[0] if following else completeness.first_open(states)
    if open_state is None:
        return redirect("customer:review", application.pk)
    return redirect(_url_for_applicant(application, open_state))


def _status_url(application: Application, part: Owner) -> str:
    """Where somebody with a part in it reads how far it is."""
    return reverse("customer:application" if part.is_applicant else "customer:part", args=[application.pk])


def _to_visit(state: StepState) -> bool:
    """An optional step is offered once, on the way."""
    return not state.done or (state.step.optional and not state.version)


def _url_for_applicant(application: Application, state: StepState) -> str:
    """Another person's agreements are theirs to accept: the list of people says how they come to it."""
    if state.owner_id and state.owner and state.step.name == StepName.AGREEMENTS:
        return people_page(application)
    return state_url(application, state)


@require_http_methods(["GET"])
@customer_page
def resume(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Go where the customer left off: the first open step, the review, or the status page."""
    application = selectors.application_for_customer(user_of(request), application_id)
    if not application.is_editable:
        return redirect("customer:application", application.pk)
    state = completeness.first_open(completeness.step_states(application))
    if state is None:
        return redirect("customer:review", application.pk)
    return redirect(_url_for_applicant(application, state))


def _step_page(
    request: HttpRequest,
    draft: Draft,
    owner: Owner | None,
    form: StepForm,
    *,
    status: int = 200,
    theirs: dict[str, Any] | None = None,
) -> HttpResponse:
    """The step's page. `theirs`: another device saved meanwhile; both are shown, and nothing of either is lost."""
    application = draft.application
    row = draft.saved(form.step, owner)
    typed = draft.entries(form.step, owner)
    states = completeness.states_of(draft)
    other = owner if owner is not None and not owner.is_applicant else None
    people = form.step.name == StepName.OWNERS
    return render(
        request,
        "onboarding/customer/people.html" if people else "onboarding/customer/step.html",
        {
            "application": application,
            "step": form.step,
            "form": form,
            "person": other,
            "country": (owner or draft.applicant).country,
            "may_change_country": draft.part_of(user_of(request)).is_applicant,
            "steps": person_links(application, states, other, form.step.name, user_of(request) == other.user)
            if other
            else step_links(application, states, form.step.name),
            # After a conflict the next save is a decision: it carries the version that is there now.
            "step_version": row.version if row else 0,
            "saved_at": row.saved_at if row else None,
            "typed": typed,
            "typed_url": f"{request.path}typed/",
            "is_conflict": theirs is not None,
            "differences": _differences(form, theirs) if theirs is not None else [],
            "corrections": correction_links(draft, user_of(request)),
            "nav_section": "home",
            **(_people_context(draft, states) if people else {}),
        },
        status=status,
    )


def _people_context(draft: Draft, states: list[StepState]) -> dict[str, Any]:
    lacking = completeness.people_problems(draft)
    return {
        "cards": people_cards(draft, states),
        "problems": [sentence for sentences in lacking.values() for sentence in sentences],
    }


def people_cards(draft: Draft, states: list[StepState]) -> list[dict[str, Any]]:
    """Every person with how far they are, and what to do next about them."""
    found = []
    for owner in draft.owners:
        whose = None if owner.is_applicant else owner.pk
        own = [state for state in states if state.owner is not None and state.owner.pk == owner.pk]
        todo = next((state for state in own if not state.done), None)
        accepts = todo is not None and todo.step.name == StepName.AGREEMENTS
        found.append(
            {
                "owner": owner,
                "done": sum(state.done for state in own),
                "of": len(own),
                # The applicant accepts at the end of the application, after its last questions.
                "url": state_url(draft.application, own[0] if todo is None or accepts else todo),
                "complete": todo is None,
                "waits_for_them": accepts and whose is not None,
                "accepts_last": accepts and whose is None,
                "invitation": _invitation(owner),
                "may_invite": services.may_be_invited(draft.application, owner),
            }
        )
    return found


def _invitation(owner: Owner) -> OwnerInvitation | None:
    """The last one that was sent and not replaced."""
    rows = [row for row in owner.invitations.all() if row.revoked_at is None]
    return max(rows, key=lambda row: row.sent_at, default=None)


def _differences(form: StepForm, theirs: dict[str, Any]) -> list[dict[str, str]]:
    found = []
    for field in form.step.fields:
        mine, kept = form.answers.get(field.name), theirs.get(field.name)
        if field.sensitive:
            if kept is not None and str(mine or "") != str(kept.reveal()):
                found.append({"label": field.label, "mine": "what you typed", "theirs": str(kept)})
        elif mine != kept and str(mine or "") != str(kept or ""):
            found.append(
                {"label": field.label, "mine": f"{shown(field, mine)}", "theirs": f"{shown(field, kept)}"}
            )
    return found


def _agreements(request: HttpRequest, draft: Draft, asked: Step, owner: Owner | None) -> HttpResponse:
    assert owner is not None
    application = draft.application
    if not owner.is_applicant and owner.user_id != user_of(request).pk:
        messages.info(
            request, f"{owner.full_name or 'This person'} accepts the agreements with a login of their own."
        )
        return redirect("customer:step", application.pk, StepName.OWNERS)
    agreements = completeness.agreements_for(draft, owner)
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        accepted = {
            agreement.pk: request.POST.get(f"shown_{agreement.pk}", "")
            for agreement in agreements
            if request.POST.get(f"accept_{agreement.pk}")
        }
        try:
            services.agreements_accept(
                actor=user_of(request), application_id=application.pk, accepted=accepted, source="page"
            )
        except Invalid as error:
            errors = error.fields
        else:
            return _onward(request, application, asked, owner)
    states = completeness.states_of(draft)
    people = completeness.accepts_for(draft, owner)
    open_ones = completeness.missing_agreements(draft, owner, agreements)
    accepted_at = {row.agreement_id: row.accepted_at for row in owner.acceptances.all()}
    rows = [
        {
            "agreement": agreement,
            "accepted_at": None if str(agreement.pk) in open_ones else accepted_at.get(agreement.pk),
            "errors": errors.get(str(agreement.pk), []),
        }
        for agreement in agreements
    ]
    return render(
        request,
        "onboarding/customer/agreements.html",
        {
            "application": application,
            "step": asked,
            "rows": rows,
            "also_for": [person.full_name or person.get_role_display() for person in people[1:]],
            "errors": errors,
            "steps": step_links(application, states, StepName.AGREEMENTS)
            if owner.is_applicant
            else person_links(application, states, owner, StepName.AGREEMENTS, is_their_own=True),
            "nav_section": "home",
        },
        status=422 if errors else 200,
    )


@require_http_methods(["GET", "POST"])
@customer_page
def review(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Everything once more, then hand in. A second press or a second tab is the same submission."""
    application = selectors.application_for_customer(user_of(request), application_id)
    if request.method == "POST":
        try:
            services.application_submit(actor=user_of(request), application_id=application.pk, source="page")
        except Invalid:
            messages.error(request, "Something is still missing. The marked step tells what.")
            return redirect("customer:resume", application.pk)
        except DomainError as error:
            messages.info(request, error.message)
        return redirect("customer:application", application.pk)
    if not application.is_editable:
        return redirect("customer:application", application.pk)
    draft = drafts.load(application)
    states = completeness.states_of(draft)
    if completeness.missing(states):
        return redirect("customer:resume", application.pk)
    return render(
        request,
        "onboarding/customer/review.html",
        {
            "application": application,
            "sections": summary_sections(draft, user_of(request)),
            "others_own": [owner for owner in draft.owners if owner.fills_in_themselves],
            "several": several_people(application.account_type),
            "acceptances": acceptances_of(draft),
            "corrections": correction_links(draft, user_of(request)),
            "availability": availability.of(application),
            "steps": step_links(application, states, "review"),
            "nav_section": "home",
        },
    )
