"""The staff page of an account's bank: whose it is, whether it works, the calls about it, and unlinking it."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from funding import bank_words, services
from funding import permissions as mine
from funding.models import BankLogin, LinkedBank, LinkSession
from onboarding import selectors
from portal import audit, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import OutboundCall, StatusChange
from portal.staff import staff_page, user_of
from portal.ui.time import moment_words

#: So many of each are shown.
MOST = 25
TONES = {
    LinkedBank.Status.ACTIVE: "success",
    LinkedBank.Status.REVIEW: "warning",
    LinkedBank.Status.SIGN_IN: "warning",
    LinkedBank.Status.REFUSED: "danger",
}
OWNER_TONES = {
    LinkedBank.Owner.MATCH: "success",
    LinkedBank.Owner.CLOSE: "info",
    LinkedBank.Owner.MISMATCH: "danger",
    LinkedBank.Owner.UNKNOWN: "warning",
}


class UnlinkForm(forms.Form):
    """Why it is unlinked, and whether all the same."""

    reason = forms.CharField(
        label="Why",
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="For colleagues; the customer reads only that it was unlinked.",
        error_messages={"required": "Say why it is unlinked."},
    )
    insist = forms.BooleanField(
        label="Also while a deposit from it is under way",
        required=False,
        help_text="The deposit goes on at the provider; if it comes back, the fee stands against a bank that is gone.",
    )


@require_http_methods(["GET", "POST"])
@staff_page
def bank(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The bank of the account, those before it, and everything said about them."""
    actor = user_of(request)
    account = mine.account_for(
        actor, account_id, needs=mine.CREATE if request.method == "POST" else mine.VIEW
    )
    selectors.application_for_staff(actor, account.application_id)
    form = UnlinkForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.bank_unlink(actor=actor, account_id=account.pk, source="page", **form.cleaned_data)
        except (Conflict, Invalid, NotFound) as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, "The bank is being unlinked, first at the provider, then at Plaid.")
            return redirect("funding_staff:bank", account.pk)
    banks = list(
        LinkedBank.objects.filter(account=account).select_related("login").order_by("-created_at")[:MOST]
    )
    live = next((row for row in banks if row.status in LinkedBank.LIVE), None)
    if request.method == "GET":
        audit.record("bank.view", subject=account.application, actor=actor, source="page")
    context = {
        "account": account,
        "application": account.application,
        "banks": [_card(row) for row in banks],
        "live": live,
        "stops": services.why_not_unlink(live) if live else [],
        "form": form,
        "may_unlink": live is not None and permissions.can_do(actor, mine.CREATE),
        "calls": _calls(account.pk, banks),
        "may_calls": permissions.can_do(actor, "outbox.view"),
        "lost": BankLogin.objects.filter(account=account, problem_code=bank_words.EXCHANGE_LOST).count(),
        "sessions": LinkSession.objects.filter(account=account).order_by("-created_at")[:MOST],
        "nav_section": "applications",
    }
    return render(request, "funding/staff/bank.html", context, status=422 if form.errors else 200)


def _card(row: LinkedBank) -> dict[str, object]:
    health = row.problem_code or (row.login.problem_code if row.login else "") or "Works, as far as we heard"
    return {
        "bank": row,
        "tone": TONES.get(LinkedBank.Status(row.status), "neutral"),
        "owner_tone": OWNER_TONES[LinkedBank.Owner(row.owner)],
        "health": health,
        "words": bank_words.staff_words(row.problem_code) if row.status == LinkedBank.Status.REFUSED else "",
        "moves": [
            f"{moment_words(move.at)}: {LinkedBank.Status(move.new).label.lower()}"
            + (f" ({move.reason})" if move.reason else "")
            for move in StatusChange.objects.filter(
                subject_type=LinkedBank._meta.label_lower, subject_id=row.pk
            ).order_by("at")[:MOST]
        ],
    }


def _calls(account_id: UUID, banks: list[LinkedBank]) -> list[OutboundCall]:
    logins = BankLogin.objects.filter(account=account_id).values_list("pk", flat=True)
    rows = OutboundCall.objects.filter(subject_id__in=[*[row.pk for row in banks], *logins])
    return list(rows.defer("body").order_by("-created_at")[:MOST])
