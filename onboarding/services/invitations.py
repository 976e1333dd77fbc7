"""Inviting an owner to fill in their own part, and taking that part."""

import secrets
from datetime import timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import transaction

from onboarding import notices, selectors
from onboarding.models import Application, InvitationState, Owner, OwnerInvitation
from onboarding.models.invitations import token_hash
from onboarding.requirements import role_rule, rules
from onboarding.services.shared import locked_draft, moved_on, require_editable, require_version
from portal import audit, clock
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import Role, User

#: How many letters one application may cause in a day: enough for every owner twice.
LETTERS_A_DAY = 20

_WORTHLESS = {
    InvitationState.EXPIRED: "This invitation has run out. Ask whoever invited you to send a new one.",
    InvitationState.USED: "This invitation was used already.",
    InvitationState.REVOKED: "A newer invitation was sent to you. Use the link in the latest letter.",
}


def owner_invite(
    *,
    actor: User,
    application_id: UUID,
    owner_id: UUID,
    source: str,
    email: str = "",
    application_version: int | None = None,
) -> OwnerInvitation:
    """Send an owner the link to their part; a link sent before stops working.

    `email` may be left out when the owner's address is known. Raises Invalid about the address, NotFound, or
    Conflict when there is nobody to invite.
    """
    with transaction.atomic():
        application = locked_draft(actor, application_id)
        require_version(application, application_version)
        owner = Owner.objects.filter(application=application, pk=owner_id).first()
        if owner is None:
            raise NotFound("There is no such person in this application.")
        _refuse(application, owner)
        address = _address(application, owner, email)
        open_ones = OwnerInvitation.objects.filter(owner=owner, accepted_at=None, revoked_at=None)
        open_ones.update(revoked_at=clock.now())
        token = secrets.token_urlsafe(32)
        invitation = OwnerInvitation.objects.create(
            owner=owner, email=address, token_sha256=token_hash(token)
        )
        if not owner.email:
            owner.email = address
            owner.save(update_fields=["email"])
        moved_on(application)
        audit.record(
            "application.owner_invite",
            subject=application,
            actor=actor,
            source=source,
            after={"owner": str(owner.pk), "role": owner.role},
        )
        notices.owner_invited(invitation, token)
    return invitation


def may_be_invited(application: Application, owner: Owner) -> bool:
    """Whether this owner could take their part: of age, and nobody has taken it."""
    rule = role_rule(application.account_type, application.entity_type, owner.role)
    return owner.user_id is None and rule is not None and rule.for_themselves


def _refuse(application: Application, owner: Owner) -> None:
    if owner.user_id is not None:
        raise Conflict("This person has a login for their part already.")
    if not may_be_invited(application, owner):
        raise Conflict("The applicant fills in this person's part and accepts the agreements for them.")
    since = clock.now() - timedelta(days=1)
    sent = OwnerInvitation.objects.filter(owner__application=application, sent_at__gt=since).count()
    if sent >= LETTERS_A_DAY:
        raise Conflict("Many invitations were sent today. Try again tomorrow.")


def _address(application: Application, owner: Owner, email: str) -> str:
    address = (email or owner.email).strip().lower()
    problem = ""
    try:
        rules.email(address)
    except ValidationError as error:
        problem = str(error.messages[0]) if address else "Enter this person's e-mail address."
    if not problem and address == application.customer.user.email.lower():
        problem = "This is your own address. Enter theirs: each person signs in with their own."
    taken = OwnerInvitation.objects.filter(owner__application=application, email=address, revoked_at=None)
    if not problem and taken.exclude(owner=owner).exists():
        problem = "Another person of this account was invited at this address. Each needs their own."
    if problem:
        raise Invalid("Look at the e-mail address.", fields={"email": [problem]})
    return address


def wrong_person(invitation: OwnerInvitation, user: User) -> str:
    """Why this login may not take the part; "" when it may. The letter's address is named to nobody."""
    if user.role != Role.CUSTOMER:
        return "You are signed in as staff. The invitation is for a customer's login."
    verified = EmailAddress.objects.filter(user=user, verified=True, email__iexact=invitation.email)
    if not verified.exists():
        return (
            "You are signed in with another e-mail address than the one the invitation was sent to. "
            "Sign out, then sign in or sign up with that address."
        )
    return ""


def invitation_accept(*, actor: User, token: str, source: str) -> Owner:
    """Take the part the link is for: from now on the actor alone sees and changes it.

    A second click of the same person changes nothing. Raises NotFound for an unknown link, Forbidden for another
    person's, and Conflict for one that has run out, was used, was replaced, or came too late.
    """
    application_id = selectors.invitation_by(token).owner.application_id
    with transaction.atomic():
        application = (
            Application.objects.select_for_update(of=("self",))
            .select_related("customer__user")
            .get(pk=application_id)
        )
        # Read again under the application's lock: of two at once the second sees what the first did.
        invitation = selectors.invitation_by(token)
        owner = invitation.owner
        problem = wrong_person(invitation, actor)
        if problem:
            raise Forbidden(problem)
        if invitation.accepted_at is not None and owner.user_id == actor.pk:
            return owner
        if invitation.state != InvitationState.OPEN:
            raise Conflict(_WORTHLESS[invitation.state])
        require_editable(application)
        if Owner.objects.filter(application=application, user=actor).exists():
            raise Conflict("You have a part in this application already.")
        invitation.accepted_at = clock.now()
        invitation.save(update_fields=["accepted_at"])
        owner.user = actor
        owner.save(update_fields=["user"])
        moved_on(application)
        audit.record(
            "application.owner_joined",
            subject=application,
            actor=actor,
            source=source,
            after={"owner": str(owner.pk), "role": owner.role},
        )
    return owner
