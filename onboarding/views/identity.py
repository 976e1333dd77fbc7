"""The customer's page of the identity check, the way out to it, and the way to a phone.

The link stands in no page, address or log: it is only ever where a POST is answered with a redirect.
"""

from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import qrcode
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from qrcode.image.svg import SvgPathImage

from onboarding import selectors, standing
from onboarding.identity import renewal, services
from onboarding.identity.delivery import delivery_now
from onboarding.identity.standing import Stand, stand_of
from onboarding.identity.standing import standing as told_of
from onboarding.models import Application, IdentityLink
from onboarding.views.shared import customer_page
from portal import clock
from portal.errors import Conflict, NotFound, ProviderAway
from portal.staff import user_of


@require_GET
@never_cache
@customer_page
def check(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Where the check stands, until when the link works, and what to do now."""
    application = selectors.application_for_customer(user_of(request), application_id)
    return _page(request, application)


@require_POST
@never_cache
@customer_page
def open_link(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Out to the identity service."""
    try:
        link = services.link_open(actor=user_of(request), application_id=application_id, source="page")
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("identity:check", application_id)
    return _out(link)


@require_POST
@never_cache
@customer_page
def renew(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Fetch a new link, where none lives."""
    try:
        found = renewal.link_renew(actor=user_of(request), application_id=application_id, source="page")
    except (Conflict, ProviderAway) as error:
        messages.error(request, error.message)
    else:
        if found.expires_at is not None:
            messages.success(request, "The new link is here.")
    return redirect("identity:check", application_id)


@require_POST
@never_cache
@customer_page
def phone(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """The QR code that carries the check to a phone: an address of ours that works once, for minutes."""
    user = user_of(request)
    application = selectors.application_for_customer(user, application_id)
    try:
        token = services.handoff_make(actor=user, application_id=application_id, source="page")
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("identity:check", application_id)
    address = settings.PORTAL_URL + reverse("identity:handoff", args=[token])
    context = {"qr": _qr(address), "minutes": services.HANDOFF_LASTS.seconds // 60}
    return _page(request, application, **context)


@require_http_methods(["GET", "POST"])
@never_cache
def handoff(request: HttpRequest, token: str) -> HttpResponse:
    """On the phone: one button, then out. Looking uses nothing up, since cameras and chats look ahead."""
    if request.method == "POST":
        try:
            return _out(services.handoff_follow(token))
        except NotFound:
            pass
    works = request.method == "GET" and services.handoff_works(token)
    response = render(
        request, "onboarding/customer/identity_phone.html", {"works": works}, status=200 if works else 404
    )
    return _may_leave(response)


def _page(request: HttpRequest, application: Application, **more: Any) -> HttpResponse:
    account = standing.account_of(application)
    found = stand_of(account)
    if found is None or account is None:
        raise NotFound("No identity check is asked for.")
    ways = delivery_now()
    link = _living_link(account.pk) if found.expires_at else None
    told = told_of(account)
    context = {
        "application": application,
        "stand": found,
        "told": told,
        "ball": standing.ball(application),
        "link": link,
        "is_offered": link is not None and services.is_offered(link, ways),
        "ways": ways,
        "left": time_left(found),
        "left_seconds": int((found.expires_at - clock.now()).total_seconds()) if found.expires_at else 0,
        "may_ask": told.next_kind == "renew_identity_link" or _refused(found),
        "nav_section": "home",
        **more,
    }
    return _may_leave(render(request, "onboarding/customer/identity_check.html", context))


def _living_link(account_id: UUID) -> IdentityLink | None:
    rows = IdentityLink.objects.filter(identity_check__account=account_id, ended_at=None).defer("url")
    return rows.first()


def _refused(found: Stand) -> bool:
    """The provider said no once, and no link lives: the customer may try again while a person looks."""
    return found.with_us and found.expires_at is None and found.status != "exhausted"


def time_left(found: Stand) -> str:
    """How long the link still works, in words; the page's script says the same as time goes by."""
    return words_for(found.expires_at, clock.now()) if found.expires_at else ""


def words_for(until: datetime, now: datetime) -> str:
    """Two units at most, the lesser rounded down: "2 days and 23 hours", "1 minute"."""
    minutes = max(0, int((until - now).total_seconds()) // 60)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    sizes = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    first = next((place for place, (number, _) in enumerate(sizes) if number), None)
    if first is None:
        return "less than a minute"
    parts = [
        f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in sizes[first : first + 2] if number
    ]
    return " and ".join(parts)


def _qr(address: str) -> str:
    """The QR code as an SVG of one path."""
    buffer = BytesIO()
    qrcode.make(address, image_factory=SvgPathImage, border=2).save(buffer)
    return buffer.getvalue().decode().partition("?>")[2].strip()


def _out(link: IdentityLink) -> HttpResponse:
    """Off to the identity service. No page learns where from, and no cache keeps where to."""
    assert link.url is not None, "a living link has its address"
    response = HttpResponseRedirect(link.url.reveal())
    response.status_code = 303
    response["Referrer-Policy"] = "no-referrer"
    return response


def _may_leave(response: HttpResponse) -> HttpResponse:
    """Let this page's forms end at the identity service: browsers hold redirects to the page's policy too.

    Its host is not known beforehand and is never judged by name (contract, section 6).
    """
    response._csp_update = {"form-action": ["https:", *filter(None, [settings.SANDBOX_URL])]}  # type: ignore[attr-defined]
    return response
