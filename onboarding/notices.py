"""The letters a customer gets, each written in the transaction of what it tells of."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from onboarding import drafts
from onboarding.models import (
    AccountUpdate,
    Application,
    ChangeRequest,
    ClosureRequest,
    Document,
    DocumentRequest,
    Owner,
    OwnerInvitation,
)
from onboarding.models.invitations import INVITATION_LASTS
from portal import clock, mail
from portal.models import User


def _send(
    application: Application, subject: str, template: str, *, part: Owner | None = None, **facts: Any
) -> None:
    """To the applicant, or to the owner who has a part of their own."""
    owner = part or drafts.applicant_of(application)
    user = part.user if part and part.user else application.customer.user
    mail.send(
        to=user.email,
        subject=subject,
        template=template,
        context={"name": owner.given_name or user.name, "reference": application.reference, **facts},
    )


def application_received(application: Application) -> None:
    """We have it and pass it on."""
    _send(application, "We have your application", "application_received")


def application_approved(application: Application) -> None:
    """The account is open."""
    _send(application, "Your account is open", "application_approved")


def application_rejected(application: Application) -> None:
    """The account was not opened; what the customer can do."""
    _send(application, "About your application", "application_rejected")


def may_apply_again(application: Application) -> None:
    """A person looked at a refused application: another with the right details is welcome."""
    _send(application, "You may apply again", "may_apply_again")


def action_required(application: Application) -> None:
    """Something waits for the customer."""
    _send(application, "We need something from you", "action_required")


def correction_needed(application: Application) -> None:
    """Some answers were not accepted."""
    _send(application, "Please correct your application", "correction_needed")


def update_applied(update: AccountUpdate) -> None:
    """A change of details is done; to whoever's it is."""
    _send(update.account.application, "Your details were changed", "update_applied", part=update.of_owner)


def update_refused(update: AccountUpdate) -> None:
    """A change of details was not made; everything is as before."""
    _send(update.account.application, "Your details were not changed", "update_refused", part=update.of_owner)


def draft_waits(application: Application, kept_until: datetime | None) -> None:
    """The draft was not changed for a while; until when it is kept."""
    _send(application, "Your application waits for you", "draft_reminder", kept_until=kept_until)


def draft_expired(application: Application, days: int) -> None:
    """The draft was given up; the customer can start again."""
    _send(application, "Your application has run out", "draft_expired", days=days)


def owner_invited(invitation: OwnerInvitation, token: str) -> None:
    """The one letter that holds the link; it is kept nowhere else."""
    application = invitation.owner.application
    mail.send(
        to=invitation.email,
        subject="You are invited to an account application",
        template="owner_invitation",
        context={
            "inviter": application.customer.user.name,
            "role": str(invitation.owner.get_role_display()).lower(),
            "reference": application.reference,
            "link": settings.PORTAL_URL + reverse("customer:invitation", args=[token]),
            "days": INVITATION_LASTS.days,
        },
    )


def handed_over(application: Application, user: User) -> None:
    """The draft that staff began is the customer's. Who has no password yet chooses one by a link that runs out."""
    link = reverse("customer:resume", args=[application.pk])
    if not user.has_usable_password():
        key = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
        link = f"{reverse('account_reset_password_from_key', kwargs=key)}?{urlencode({'next': link})}"
    mail.send(
        to=user.email,
        subject="Your application is ready for you",
        template="application_handed_over",
        context={
            "name": user.name,
            "reference": application.reference,
            "link": settings.PORTAL_URL + link,
            "hours": 0 if user.has_usable_password() else settings.PASSWORD_RESET_TIMEOUT // 3600,
        },
    )


def restricted_done(request: ChangeRequest) -> None:
    """The provider's staff have changed what was asked for."""
    _send(request.account.application, "Your details were changed", "restricted_done")


def restricted_refused(request: ChangeRequest) -> None:
    """What was asked for was not changed; the page says why."""
    _send(request.account.application, "Your details were not changed", "restricted_refused")


def identity_link(application: Application) -> None:
    """A link for the identity check is here. The letter leads to our page and holds no link of the check."""
    _send_check(application, "Please prove your identity", "identity_link")


def identity_link_ends(application: Application, until: datetime) -> None:
    """The link ends soon; what to do before that."""
    _send_check(application, "Your link for the identity check ends soon", "identity_link_ends", until=until)


def identity_call_missed(application: Application) -> None:
    """We called and did not reach the customer."""
    _send_check(application, "We tried to call you", "identity_call_missed")


def _send_check(application: Application, subject: str, template: str, **facts: Any) -> None:
    page = settings.PORTAL_URL + reverse("identity:check", args=[application.pk])
    _send(application, subject, template, page=page, **facts)


def document_held_back(document: Document) -> None:
    """The malware scan found something in a file; what to do."""
    _send_of_file(document, "We could not take your file", "document_held_back")


def document_needed_again(document: Document) -> None:
    """A file cannot be used; another one is needed."""
    _send_of_file(document, "Please upload another file", "document_needed_again")


def _send_of_file(document: Document, subject: str, template: str) -> None:
    """To who uploaded it; to the customer, where staff did."""
    application = document.application
    uploader = document.uploaded_by
    user = application.customer.user if uploader.is_staff_member else uploader
    mail.send(
        to=user.email,
        subject=subject,
        template=template,
        context={
            "name": user.name,
            "reference": application.reference,
            "paper": str(document.get_type_display()).lower(),
            "page": settings.PORTAL_URL + reverse("customer:documents", args=[application.pk]),
        },
    )


def closure_refused(closure: ClosureRequest) -> None:
    """The account stays open; the page says why."""
    _send(closure.account.application, "Your account was not closed", "closure_refused")


def matter_waits(application: Application, matter: str, until: datetime) -> None:
    """What the customer asked for takes longer, until that day; never why. `matter` begins the sentence."""
    _send(application, "It takes a little longer", "matter_waits", matter=matter, until=until)


def _send_asked(
    request: DocumentRequest, subject: str, template: str, *, page: str = "", **facts: Any
) -> None:
    """To whose paper it is, where they took their own part; else to the customer. The page says which paper."""
    user = request.uploader
    page = page or reverse("customer:documents", args=[request.application_id])
    mail.send(
        to=user.email,
        subject=subject,
        template=template,
        context={
            "name": user.name,
            "reference": request.application.reference,
            "link": settings.PORTAL_URL + page,
            "due_on": request.due_on,
            **facts,
        },
    )


def document_asked(request: DocumentRequest) -> None:
    """We ask for a paper; which and why stands on the page."""
    _send_asked(request, "We need a paper from you", "document_asked")


def document_again(request: DocumentRequest) -> None:
    """A paper was not accepted; which and why stands on the page."""
    _send_asked(request, "Please send one paper again", "document_again")


def document_due(request: DocumentRequest) -> None:
    """The paper is still missing, its day is near or past."""
    is_overdue = request.due_on < clock.now().date()
    subject = "We still wait for a paper" if is_overdue else "A paper is due soon"
    _send_asked(request, subject, "document_due", is_overdue=is_overdue)


def question_asked(request: DocumentRequest) -> None:
    """We ask something that is answered in words; what, stands on its page."""
    _send_asked(request, "We have a question for you", "question_asked", page=_question(request))


def question_due(request: DocumentRequest) -> None:
    """The answer is still missing, its day is near or past."""
    is_overdue = request.due_on < clock.now().date()
    subject = "We still wait for your answer" if is_overdue else "Your answer is due soon"
    _send_asked(request, subject, "question_due", page=_question(request), is_overdue=is_overdue)


def _question(request: DocumentRequest) -> str:
    return reverse("customer:question", args=[request.application_id, request.pk])


def document_expires(request: DocumentRequest) -> None:
    """A paper we have expires, or did; which stands on the page."""
    last = request.renews.expires_on if request.renews else None
    is_over = last is None or last <= clock.now().date()
    subject = "A paper of yours has expired" if is_over else "A paper of yours expires soon"
    _send_asked(request, subject, "document_expires", expires_on=last, is_over=is_over)
