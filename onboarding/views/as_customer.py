"""The customer's own page as they see it now, for staff to read."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from onboarding import as_customer, selectors
from portal import audit, permissions
from portal.staff import staff_page, user_of


@require_GET
@staff_page
def page(request: HttpRequest, application_id: UUID, page: str = "application") -> HttpResponse:
    """One page of the customer, nothing on it alive. Looking is recorded, also for who may decide about them later."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    permissions.require(actor, "customer.view_as")
    came_to, content = as_customer.shown(actor, application, page)
    audit.record(
        selectors.VIEWED_AS, subject=application, actor=actor, source="page", after={"page": came_to}
    )
    response = render(
        request,
        "onboarding/staff/as_customer.html",
        {
            "application": application,
            "page": content,
            "came_to": came_to,
            "asked": page,
            "tabs": [
                {
                    "label": each.label,
                    "url": reverse("staff:as_customer_page", args=[application.pk, each.name]),
                    "current": each.name == came_to,
                }
                for each in as_customer.pages(actor, application).values()
            ],
            "nav_section": "applications",
        },
    )
    response["Cache-Control"] = "no-store"
    return response
