"""Staff pages of the policy: which decisions need a second person. Managers change it, who sees all queues reads."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from compliance import approval_policy, queue_words, services
from compliance.approval_forms import ApprovalRuleForm
from compliance.models import ApprovalRule, RuleBook
from compliance.services.approval_rules import ACTION
from portal.errors import Conflict, Invalid, NotFound
from portal.forms_ui import add_errors
from portal.permissions import can_do, require
from portal.staff import staff_page, user_of


@require_GET
@staff_page
def rules(request: HttpRequest) -> HttpResponse:
    """The rules, whose removal is asked for, and who changed what."""
    actor = user_of(request)
    require(actor, "queue.view")
    book = RuleBook.current()
    rows = ApprovalRule.objects.select_related("removal_asked_by")
    context = {
        "rules": [{"row": row, "words": approval_policy.words(row)} for row in rows],
        "may_manage": can_do(actor, "queue.manage"),
        "changes": queue_words.changes(book, {ACTION}),
        "version": book.version,
        "nav_section": "cases",
    }
    return render(request, "compliance/approval_rules.html", context)


@require_http_methods(["GET", "POST"])
@staff_page
def add(request: HttpRequest) -> HttpResponse:
    """Add a rule; "Try it" says how many undecided cases would need two, and changes nothing."""
    actor = user_of(request)
    require(actor, "queue.manage")
    form = ApprovalRuleForm(request.POST or None, initial={"version": RuleBook.current().version})
    context: dict[str, Any] = {"form": form, "nav_section": "cases"}
    if request.method == "POST" and form.is_valid():
        wish = form.wish()
        try:
            if request.POST.get("do") == "save":
                services.approval_rule_add(actor=actor, version=form.cleaned_data["version"], **wish)
                messages.success(request, "From now on these decisions need a second person.")
                return redirect("cases:approval_rules")
            context["tried"] = _tried([*ApprovalRule.objects.all(), services.rule_of(**wish)])
        except Invalid as error:
            add_errors(form, error.fields)
        except Conflict as error:
            form.add_error(None, error.message)
    status = 422 if form.errors else 200
    return render(request, "compliance/approval_rule.html", context, status=status)


@require_http_methods(["GET", "POST"])
@staff_page
def remove(request: HttpRequest, approval_rule_id: UUID) -> HttpResponse:
    """Ask for the removal, or agree to it, with how many cases would need two afterwards."""
    actor = user_of(request)
    require(actor, "queue.manage")
    row = ApprovalRule.objects.select_related("removal_asked_by").filter(pk=approval_rule_id).first()
    if row is None:
        raise NotFound("It is no longer there.")
    if request.method == "POST":
        try:
            gone = services.approval_rule_remove(
                actor=actor, rule_id=approval_rule_id, version=_version(request)
            )
        except Conflict as error:
            messages.error(request, error.message)
        else:
            words = "The rule is gone." if gone else "Another manager must agree. Until then the rule holds."
            messages.success(request, words)
        return redirect("cases:approval_rules")
    context = {
        "row": row,
        "words": approval_policy.words(row),
        "is_asked": row.removal_asked_by is not None,
        "is_mine": row.removal_asked_by == actor,
        "version": RuleBook.current().version,
        "tried": _tried(list(ApprovalRule.objects.exclude(pk=approval_rule_id))),
        "nav_section": "cases",
    }
    return render(request, "compliance/approval_rule_remove.html", context)


@require_POST
@staff_page
def keep(request: HttpRequest, approval_rule_id: UUID) -> HttpResponse:
    """The rule stays: take back one's wish, or do not agree to another's."""
    try:
        services.approval_rule_keep(
            actor=user_of(request), rule_id=approval_rule_id, version=_version(request)
        )
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The rule stays.")
    return redirect("cases:approval_rules")


def _tried(wished: list[ApprovalRule]) -> dict[str, Any]:
    rows = approval_policy.dry_run(wished)
    cases = sum(row.then for row in rows)
    word = "case holds" if cases == 1 else "cases hold"
    return {"rows": rows, "title": f"{cases} undecided {word} a decision that would need two"}


def _version(request: HttpRequest) -> int:
    given = request.POST.get("version", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
