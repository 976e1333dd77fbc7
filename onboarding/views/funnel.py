"""The applications behind a number of the dashboard."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from onboarding import funnel, standing
from onboarding.words import AccountType
from portal.errors import NotFound
from portal.staff import staff_page, user_of
from providers.views.paging import cursors, pager


class BehindForm(forms.Form):
    """Which number, as the dashboard's links say it."""

    first = forms.DateField()
    last = forms.DateField()
    account_type = forms.ChoiceField(required=False, choices=AccountType.choices)
    stage = forms.IntegerField(required=False, min_value=0, max_value=funnel.APPROVED)
    verdict = forms.ChoiceField(
        required=False, choices=[(word, word) for word in (funnel.Status.APPROVED, funnel.Status.REJECTED)]
    )
    reason = forms.CharField(required=False, max_length=64)


@require_GET
@staff_page
def applications_behind(request: HttpRequest) -> HttpResponse:
    """One page of them."""
    form = BehindForm(request.GET)
    if not form.is_valid():
        raise NotFound("No number of the dashboard has this list.")
    given = form.cleaned_data
    reason = given.pop("reason")
    chosen = funnel.Stopped(**given, reason=("" if reason == "none" else reason) if reason else None)
    page = funnel.applications_behind(user_of(request), chosen, **cursors(request))
    title = "Applications begun"
    if chosen.verdict:
        title = f"Applications: {funnel.Status(chosen.verdict).label.lower()}"
    elif chosen.stage is not None:
        places = dict(funnel.stages(chosen.account_type or AccountType.ENTITY))
        title = f"Stopped at: {places.get(chosen.stage, 'a step no longer asked')}"
    context = {
        "title": title,
        "chosen": chosen,
        "rows": [
            {"application": row, "status": standing.shown_status(row), "type": row.get_account_type_display()}
            for row in page.rows
        ],
        "nav_section": "dashboard",
        **pager(request, page),
    }
    return render(request, "onboarding/staff/applications_behind.html", context)
