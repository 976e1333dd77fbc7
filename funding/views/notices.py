"""What the customer was told about their money, and what of it they want to be told."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from funding import notices
from onboarding.views.shared import customer_page
from portal.pages import keyset
from portal.staff import user_of
from providers.views.paging import cursors, pager


@require_GET
@customer_page
def listing(request: HttpRequest) -> HttpResponse:
    """Everything told, newest first."""
    user = user_of(request)
    page = keyset(notices.listed(user), size=25, **cursors(request))
    context = {
        "rows": [{"notice": row, "words": notices.words(row)} for row in page.rows],
        "unread": notices.unread(user).count(),
        "nav_section": "money",
    }
    return render(request, "funding/customer/notices.html", context | pager(request, page))


@require_POST
@customer_page
def read(request: HttpRequest) -> HttpResponse:
    """All of it was read."""
    notices.mark_read(user_of(request))
    return redirect("money:notices")


@require_GET
@customer_page
def choices(request: HttpRequest) -> HttpResponse:
    """How each kind is told."""
    context = {"choices": notices.choices_of(user_of(request)), "nav_section": "money"}
    return render(request, "funding/customer/choices.html", context)


@require_POST
@customer_page
def choose(request: HttpRequest) -> HttpResponse:
    """Keep what was ticked; a kind nobody knows counts for nothing."""
    notices.choose(
        user_of(request),
        by_mail=set(request.POST.getlist("by_mail")),
        in_list=set(request.POST.getlist("in_list")),
    )
    messages.success(request, "Your choice is kept.")
    return redirect("money:choices")
