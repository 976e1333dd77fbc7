"""Staff administration: the list, one person, invitations, and the changes to their access."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import audit
from portal.auth import staff
from portal.auth.factors import has_second_factor
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import AuditEntry, Role, User
from portal.pages import keyset
from portal.permissions import can_do, require

PER_PAGE = 50
HISTORY = 50
ROLES = dict(Role.choices)
#: How the history names what happened; other actions show their own word.
WORDS = {
    "auth.login": ("Signed in", "log-in", "neutral"),
    "auth.logout": ("Signed out", "log-out", "neutral"),
    "auth.login_failed": ("Failed to sign in", "triangle-alert", "warning"),
    "auth.second_factor_failed": ("Gave a wrong second factor", "triangle-alert", "warning"),
    "auth.second_factor_added": ("Added a second factor", "shield-check", "success"),
    "auth.second_factor_removed": ("Removed a second factor", "shield-alert", "warning"),
    "auth.recovery_code_used": ("Used a recovery code", "key-round", "warning"),
    "auth.recovery_codes_renewed": ("Made new recovery codes", "key-round", "neutral"),
    "auth.signed_up": ("Signed up", "user-plus", "neutral"),
    "auth.email_confirmed": ("Confirmed the e-mail address", "mail", "neutral"),
    "auth.email_changed": ("Changed the e-mail address", "mail", "warning"),
    "auth.password_changed": ("Changed the password", "lock", "neutral"),
    "auth.password_reset": ("Set a password by link", "lock", "neutral"),
    "user.invited": ("Invited", "user-plus", "info"),
    "user.link_sent": ("Link sent again", "send", "info"),
    "user.role_changed": ("Role changed", "user-check", "warning"),
    "user.deactivated": ("Sign-in switched off", "ban", "danger"),
    "user.reactivated": ("Sign-in switched on", "circle-check", "success"),
    "user.second_factor_reset": ("Second factor reset", "rotate-ccw", "warning"),
}


@dataclass(frozen=True)
class Event:
    """One line of a person's history, as the timeline draws it."""

    at: datetime
    icon: str
    title: str
    actor: str
    body: str
    tone: str
    details: dict[str, Any] | None = None


class FilterForm(forms.Form):
    """What narrows the list."""

    q = forms.CharField(label="Name or e-mail", required=False, max_length=100)
    role = forms.ChoiceField(label="Role", required=False, choices=[("", "All staff"), *Role.choices])


class InviteForm(forms.Form):
    """Whom to invite."""

    name = forms.CharField(label="Full name", max_length=200)
    email = forms.EmailField(label="Work e-mail", max_length=254)
    role = forms.ChoiceField(label="Role", choices=[("", "Choose a role"), *staff.STAFF_ROLES])


class ReasonForm(forms.Form):
    """Why; it stands in the audit trail."""

    reason = forms.CharField(label="Reason", max_length=500, help_text="Kept in the audit trail.")


class RoleForm(ReasonForm):
    """The new role and why."""

    field_order = ["role", "reason"]
    role = forms.ChoiceField(label="Role", choices=staff.STAFF_ROLES)


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)


def _query(**parameters: str) -> str:
    return "?" + urlencode({name: value for name, value in parameters.items() if value})


def _event(entry: AuditEntry) -> Event:
    title, icon, tone = WORDS.get(entry.action, (entry.action, "circle", "neutral"))
    changed = [
        f"{ROLES[values['role']]}" for values in (entry.before, entry.after) if values and "role" in values
    ]
    parts = [" → ".join(changed), entry.reason, f"from {entry.ip}" if entry.ip else ""]
    return Event(entry.at, icon, title, entry.actor_label, " · ".join(filter(None, parts)), tone)


@require_GET
@login_required
def user_list(request: HttpRequest) -> HttpResponse:
    """People, newest first, with search and a filter by role kept in the address. Needs user.view."""
    query = request.GET
    search, role = query.get("q", "").strip(), query.get("role", "")
    role = role if role in ROLES else ""
    found = staff.people(_actor(request), search=search, role=role)
    page = keyset(found, after=query.get("after", ""), before=query.get("before", ""), size=PER_PAGE)
    chips = []
    if search:
        chips.append({"label": f"Search: {search}", "url": _query(role=role)})
    if role:
        chips.append({"label": f"Role: {ROLES[role]}", "url": _query(q=search)})
    context = {
        "nav_section": "users",
        "page": page,
        "newer_url": _query(q=search, role=role, before=page.newer) if page.newer else "",
        "older_url": _query(q=search, role=role, after=page.older) if page.older else "",
        "filters": FilterForm(initial={"q": search, "role": role}),
        "chips": chips,
        "may_manage": can_do(_actor(request), "user.manage"),
    }
    return render(request, "portal/users.html", context)


@require_GET
@login_required
def user_detail(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """One person: access, second factor, history, and the changes the viewer may make. Needs user.view."""
    return _detail(request, staff.person(_actor(request), user_id))


def _detail(request: HttpRequest, person: User, *, status: int = 200, **bound: forms.Form) -> HttpResponse:
    viewer = _actor(request)
    context: dict[str, Any] = {
        "nav_section": "users",
        "person": person,
        "second_factor": has_second_factor(person),
        "may_change": can_do(viewer, "user.manage") and viewer.pk != person.pk,
        "is_self": viewer.pk == person.pk,
        "history": [_event(entry) for entry in audit.entries_for(person).reverse()[:HISTORY]],
        "role_form": RoleForm(initial={"role": person.role}, prefix="role"),
        "active_form": ReasonForm(prefix="active"),
        "factor_form": ReasonForm(prefix="factor"),
    }
    return render(request, "portal/users_detail.html", context | bound, status=status)


@require_http_methods(["GET", "POST"])
@login_required
def user_invite(request: HttpRequest) -> HttpResponse:
    """Invite a member of staff. Needs user.manage."""
    require(_actor(request), "user.manage")
    if request.method == "POST":
        raise_if_reauthentication_required(request, app="allauth.account")
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = staff.staff_invite(actor=_actor(request), **form.cleaned_data)
        except Invalid as error:
            for field, sentences in error.fields.items():
                for sentence in sentences:
                    form.add_error(field, sentence)
        else:
            messages.success(request, f"Invitation sent to {user.email}.")
            return redirect("users:detail", user.pk)
    context = {"form": form, "nav_section": "users"}
    return render(request, "portal/users_invite.html", context, status=422 if form.errors else 200)


def _changing(view: Callable[[HttpRequest, User], HttpResponse]) -> Callable[..., HttpResponse]:
    """A change to one person: POST, signed in minutes ago, user.manage; a refusal shows on their page."""

    @login_required
    @require_POST
    def guarded(request: HttpRequest, user_id: UUID) -> HttpResponse:
        require(_actor(request), "user.manage")
        raise_if_reauthentication_required(request, app="allauth.account")
        person = staff.person(_actor(request), user_id)
        try:
            return view(request, person)
        except (Conflict, Forbidden) as error:
            messages.error(request, error.message)
            return _detail(request, person, status=error.status)

    return guarded


def _done(request: HttpRequest, person: User, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect("users:detail", person.pk)


@_changing
def user_role(request: HttpRequest, person: User) -> HttpResponse:
    """Change the role."""
    form = RoleForm(request.POST, prefix="role")
    if not form.is_valid():
        return _detail(request, person, status=422, role_form=form)
    staff.staff_role_change(actor=_actor(request), user_id=person.pk, **form.cleaned_data)
    return _done(request, person, "Role changed.")


@_changing
def user_active(request: HttpRequest, person: User) -> HttpResponse:
    """Switch sign-in off, or on again."""
    form = ReasonForm(request.POST, prefix="active")
    if not form.is_valid():
        return _detail(request, person, status=422, active_form=form)
    reason = form.cleaned_data["reason"]
    if request.POST.get("active") == "on":
        staff.user_reactivate(actor=_actor(request), user_id=person.pk, reason=reason)
        return _done(request, person, "Sign-in is on again. We mailed a link to set a new password.")
    staff.user_deactivate(actor=_actor(request), user_id=person.pk, reason=reason)
    return _done(request, person, "Sign-in is switched off and all sessions are ended.")


@_changing
def user_second_factor(request: HttpRequest, person: User) -> HttpResponse:
    """Reset the second factor."""
    form = ReasonForm(request.POST, prefix="factor")
    if not form.is_valid():
        return _detail(request, person, status=422, factor_form=form)
    staff.second_factor_reset(actor=_actor(request), user_id=person.pk, reason=form.cleaned_data["reason"])
    return _done(request, person, "Second factor reset. We mailed a link to set a new password.")


@_changing
def user_link(request: HttpRequest, person: User) -> HttpResponse:
    """Send the invitation again."""
    staff.staff_invitation_send(actor=_actor(request), user_id=person.pk)
    return _done(request, person, "We mailed a new link.")
