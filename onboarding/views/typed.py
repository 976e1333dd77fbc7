"""What is typed into a step, kept while it is typed (static/js/autosave.js): by customers, and by staff for them."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from onboarding import drafts, selectors, services
from onboarding.entries import Seen
from onboarding.forms import step_form
from onboarding.models import Application
from onboarding.views.shared import customer_page
from portal.errors import DomainError, Invalid, NotFound, PreconditionFailed
from portal.staff import staff_page, user_of

ELSEWHERE = (
    "This step was changed on another device. Nothing of yours here is lost: choose “{button}” to see both."
)


def seen_of(request: HttpRequest) -> Seen:
    """What of the typed entries the page has seen; a page without JavaScript has no name."""
    return Seen(_number(request, "entries_version"), request.POST.get("writer", "")[:40])


def _number(request: HttpRequest, name: str) -> int:
    found = request.POST.get(name, "")
    return int(found) if re.fullmatch("[0-9]{1,9}", found) else 0


@require_POST
@customer_page
def by_customer(
    request: HttpRequest, application_id: UUID, name: str, owner_id: UUID | None = None
) -> HttpResponse:
    """Keep what stands in the fields of a step of one's own; says so in one sentence."""
    user = user_of(request)
    return _kept(
        request,
        lambda: selectors.application_with_part(user, application_id),
        lambda **given: services.step_entries_keep(actor=user, owner_id=owner_id, **given),
        (application_id, name, owner_id),
        button="Save and continue",
    )


@require_POST
@staff_page
def by_staff(request: HttpRequest, application_id: UUID, name: str) -> HttpResponse:
    """Keep what stands in the fields of a step that staff fill in for a customer; says so in one sentence."""
    user = user_of(request)
    return _kept(
        request,
        lambda: selectors.application_for_staff(user, application_id),
        lambda **given: services.step_entries_keep_for(actor=user, **given),
        (application_id, name, None),
        button="Save",
    )


def _kept(
    request: HttpRequest,
    found: Callable[[], Application],
    keep: Callable[..., Any],
    whose: tuple[UUID, str, UUID | None],
    *,
    button: str,
) -> HttpResponse:
    application_id, name, owner_id = whose
    try:
        step = drafts.load(found()).step(name, owner_id)
        if step is None:
            raise NotFound("There is no such step.")
        keep(
            application_id=application_id,
            step=name,
            entries=step_form(step[0])(request.POST).typed(),
            step_version=_number(request, "step_version"),
            seen=seen_of(request),
        )
    except Invalid as error:
        sentence = next((rows[0] for rows in error.fields.values()), error.message)
        return JsonResponse({"said": sentence}, status=error.status)
    except PreconditionFailed:
        return JsonResponse({"said": ELSEWHERE.format(button=button)}, status=409)
    except DomainError as error:
        return JsonResponse({"said": error.message}, status=error.status)
    return JsonResponse({"said": ""})
