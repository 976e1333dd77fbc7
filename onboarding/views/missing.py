"""The customer's page of what is missing, and nothing else."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from onboarding import completeness, drafts, selectors, services
from onboarding.requirements import StepName
from onboarding.views.shared import customer_page, state_url
from portal.staff import user_of


@require_GET
@customer_page
def missing(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """The steps that are open, each with its link; before and after the account was handed in."""
    application = selectors.application_for_customer(user_of(request), application_id)
    draft = drafts.load(application)
    states = completeness.states_of(draft)
    items = []
    for state in states:
        if state.done or state.owner_id:
            continue
        if application.is_editable:
            url = state_url(application, state)
        elif state.step.name == StepName.AGREEMENTS:
            url = reverse("agreements:home")
        else:
            url = reverse("customer:detail", args=[application.pk, state.step.name])
        items.append({"title": state.step.title, "intro": state.step.intro, "url": url})
    return render(
        request,
        "onboarding/customer/missing.html",
        {
            "application": application,
            "items": items,
            "reasons": [] if application.is_editable else services.why_not_update(application),
            "may_hand_in": application.is_editable and not completeness.missing(states),
            "until": application.batch.grace_until if application.batch else None,
            "nav_section": "home",
        },
    )
