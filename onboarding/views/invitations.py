"""Inviting an owner, the page a link leads to, and the part of whoever took one."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from onboarding import completeness, drafts, papers, questions, selectors, services, standing
from onboarding.forms import InviteForm
from onboarding.models import InvitationState, OwnerInvitation
from onboarding.services.paper_answers import CLOSED
from onboarding.views.people import draft_of, people_page, person_in
from onboarding.views.shared import correction_links, customer_page, own_part_url, state_url, summary_sections
from portal.errors import Conflict, Invalid, NotFound
from portal.forms_ui import add_errors
from portal.models import User
from portal.staff import user_of

#: In the session: the link somebody followed before they signed in or up.
FOLLOWED = "invitation_followed"


@require_http_methods(["GET", "POST"])
@customer_page
def invite(request: HttpRequest, application_id: UUID, owner_id: UUID) -> HttpResponse:
    """Send a person of the account the link to their own part."""
    application = draft_of(request, application_id)
    owner = person_in(application, owner_id)
    form = InviteForm(request.POST or None, initial={"email": owner.email})
    if request.method == "POST" and form.is_valid():
        try:
            services.owner_invite(
                actor=user_of(request),
                application_id=application.pk,
                owner_id=owner.pk,
                email=form.cleaned_data["email"],
                source="page",
            )
        except Invalid as error:
            add_errors(form, error.fields)
        else:
            messages.success(request, "The invitation is on its way. The link works for 7 days.")
            return redirect(people_page(application))
    return render(
        request,
        "onboarding/customer/invite.html",
        {
            "application": application,
            "form": form,
            "owner": owner,
            "again": owner.invitations.filter(revoked_at=None).exists(),
            "back": people_page(application),
            "nav_section": "home",
        },
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Where the letter's link leads: sign in, see which part it is, and take it by a click of one's own."""
    try:
        found = selectors.invitation_by(token)
    except NotFound:
        request.session.pop(FOLLOWED, None)
        return _page(request, None, "unknown", 404)
    user = request.user if isinstance(request.user, User) else None
    taken = found.owner.user_id is not None and user is not None and found.owner.user_id == user.pk
    if taken:
        request.session.pop(FOLLOWED, None)
        return redirect("customer:part", found.owner.application_id)
    if found.state != InvitationState.OPEN:
        request.session.pop(FOLLOWED, None)
        return _page(request, found, str(found.state), 410)
    if not found.owner.application.is_editable:
        request.session.pop(FOLLOWED, None)
        return _page(request, found, "late", 410)
    if user is None:
        request.session[FOLLOWED] = token
        return _page(request, found, "sign_in")
    request.session.pop(FOLLOWED, None)
    problem = services.wrong_person(found, user)
    if problem:
        return _page(request, found, "wrong_person", 403, problem)
    if request.method == "GET":
        return _page(request, found, "open")
    try:
        owner = services.invitation_accept(actor=user, token=token, source="page")
    except Conflict as error:
        return _page(request, found, "conflict", 409, error.message)
    messages.success(request, "This part is yours now. Nobody but you and our staff sees what you enter.")
    return redirect("customer:part", owner.application_id)


def _page(
    request: HttpRequest, found: OwnerInvitation | None, state: str, status: int = 200, problem: str = ""
) -> HttpResponse:
    context = {
        "invitation": found,
        "state": state,
        "problem": problem,
        "inviter": found.owner.application.customer.user.name if found else "",
    }
    response = render(request, "onboarding/customer/invitation.html", context, status=status)
    # The address is a secret: no page that is followed from here may be told it.
    # With no referrer at all a browser calls its own form's origin null, and the form is refused.
    response["Referrer-Policy"] = "strict-origin"
    response["Cache-Control"] = "no-store"
    return response


@require_GET
@customer_page
def part(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """The part somebody took in another's application: its steps, its answers, and how far the whole is."""
    user = user_of(request)
    application = selectors.application_with_part(user, application_id)
    draft = drafts.load(application)
    owner = draft.part_of(user)
    if owner.is_applicant:
        return redirect("customer:application", application.pk)
    states = completeness.states_of(draft)
    own = [state for state in states if state.owner_id == owner.pk]
    status, tone = standing.shown_status(application)
    return render(
        request,
        "onboarding/customer/part.html",
        {
            "application": application,
            "owner": owner,
            "inviter": application.customer.user.name,
            "status": status,
            "tone": tone,
            "rows": [
                {"title": state.step.title, "url": state_url(application, state), "state": state}
                for state in own
            ],
            "complete": all(state.done for state in own),
            "may_change": not application.is_editable and standing.account_of(application) is not None,
            "next_url": own_part_url(application, states, owner),
            "sections": summary_sections(draft, user),
            "corrections": correction_links(draft, user),
            "papers": papers.papers_for(user, application) if application.status not in CLOSED else [],
            "questions": questions.open_for(user, application),
            "nav_section": "home",
        },
    )
