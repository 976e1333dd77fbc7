"""Administration of who may sign in and as what. Every change is audited in its own transaction.

The last administrator cannot be lost: nobody changes their own access, and the actor's own row is locked and
asked again inside the transaction, so whoever takes an administrator's role is an administrator who stays.
"""

from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from portal import audit, mail
from portal.auth.factors import STRONG
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import Role, User
from portal.permissions import require

STAFF_ROLES = [(role.value, role.label) for role in Role if role is not Role.CUSTOMER]


def people(viewer: User, *, search: str = "", role: str = "") -> QuerySet[User]:
    """Who can sign in; each row also has `second_factor`. Without a role: all staff.

    Raises Forbidden without user.view.
    """
    require(viewer, "user.view")
    factors = Authenticator.objects.filter(user_id=OuterRef("pk"), type__in=STRONG)
    found = User.objects.annotate(second_factor=Exists(factors))
    found = found.filter(role=role) if role in Role.values else found.exclude(role=Role.CUSTOMER)
    for word in search.split():
        found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
    return found


def person(viewer: User, user_id: UUID) -> User:
    """One of the people. Raises NotFound, and Forbidden without user.view."""
    require(viewer, "user.view")
    found = User.objects.filter(pk=user_id).first()
    if found is None:
        raise NotFound("There is no such person.")
    return found


def staff_invite(*, actor: User, email: str, name: str, role: str) -> User:
    """Make a staff account without a password and mail a link to set one (PASSWORD_RESET_TIMEOUT).

    Raises Invalid for a bad address, a taken one, or a role that is not staff's.
    """
    require(actor, "user.manage")
    email = email.strip().lower()
    _check_staff_role(role)
    try:
        validate_email(email)
    except ValidationError as error:
        raise _invalid("email", "Enter an e-mail address, like name@company.com.") from error
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, None, name=name.strip(), role=role)
            EmailAddress.objects.create(user=user, email=email, primary=True, verified=False)
            audit.record("user.invited", subject=user, actor=actor, after={"role": role})
            _mail_link(user, "staff_invitation", f"Your {settings.PARTNER_NAME} staff account")
    except IntegrityError as error:
        raise _invalid("email", "An account with this e-mail address exists already.") from error
    return user


def staff_invitation_send(*, actor: User, user_id: UUID) -> User:
    """Mail a fresh link to someone who has not set a password yet. Raises Conflict for anyone else."""
    with transaction.atomic():
        user = _locked(actor, user_id)
        if user.has_usable_password() or not user.is_active:
            raise Conflict("A link is sent only to people who can sign in and have no password yet.")
        audit.record("user.link_sent", subject=user, actor=actor)
        _mail_link(user, "staff_invitation", f"Your {settings.PARTNER_NAME} account")
    return user


def staff_role_change(*, actor: User, user_id: UUID, role: str, reason: str) -> User:
    """Give a member of staff another role. Customers never become staff this way, nor staff customers.

    Raises Invalid, Forbidden (own role) or Conflict (a customer).
    """
    _check_staff_role(role)
    with transaction.atomic():
        user = _locked(actor, user_id)
        if not user.is_staff_member:
            raise Conflict(
                "A customer does not become staff. Invite them with a work e-mail address instead."
            )
        old = user.role
        if old == role:
            return user
        user.role = role
        user.save(update_fields=["role"])
        audit.record(
            "user.role_changed",
            subject=user,
            actor=actor,
            before={"role": old},
            after={"role": role},
            reason=reason,
        )
    return user


def user_deactivate(*, actor: User, user_id: UUID, reason: str) -> User:
    """Switch a person's sign-in off and end their sessions and tokens at once."""
    with transaction.atomic():
        user = _locked(actor, user_id)
        if user.is_active:
            user.is_active = False
            _end_sessions(user)
            user.save(update_fields=["is_active", "password"])
            audit.record("user.deactivated", subject=user, actor=actor, reason=reason)
    return user


def user_reactivate(*, actor: User, user_id: UUID, reason: str) -> User:
    """Switch sign-in on again. The person sets a new password by a mailed link; old sessions stay ended."""
    with transaction.atomic():
        user = _locked(actor, user_id)
        if not user.is_active:
            user.is_active = True
            user.save(update_fields=["is_active"])
            audit.record("user.reactivated", subject=user, actor=actor, reason=reason)
            _mail_link(user, "access_restored", f"You can use {settings.PARTNER_NAME} again")
    return user


def second_factor_reset(*, actor: User, user_id: UUID, reason: str) -> User:
    """Remove every second factor, end all sessions and mail a link for a new password.

    The password goes too: otherwise a password alone, perhaps a stolen one, could enrol the next factor.
    """
    with transaction.atomic():
        user = _locked(actor, user_id)
        removed = Authenticator.objects.filter(user=user)
        types = sorted(removed.values_list("type", flat=True))
        if not types:
            raise Conflict("This person has no second factor.")
        removed.delete()
        _end_sessions(user)
        user.save(update_fields=["password"])
        audit.record(
            "user.second_factor_reset",
            subject=user,
            actor=actor,
            before={"factors": ", ".join(types)},
            reason=reason,
        )
        if user.is_active:
            _mail_link(user, "second_factor_reset", f"Sign in to {settings.PARTNER_NAME} again")
    return user


def _check_staff_role(role: str) -> None:
    if role not in dict(STAFF_ROLES):
        raise _invalid("role", "Choose a staff role from the list.")


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid("Some answers need attention.", fields={field: [sentence]})


def _locked(actor: User, user_id: UUID) -> User:
    """The person to change, locked together with the actor, whose right is asked again on the locked row."""
    rows = {
        row.pk: row
        for row in User.objects.select_for_update().filter(pk__in={actor.pk, user_id}).order_by("pk")
    }
    require(rows.get(actor.pk), "user.manage")
    if user_id == actor.pk:
        raise Forbidden("You cannot change your own access. Ask another administrator.")
    if user_id not in rows:
        raise NotFound("There is no such person.")
    return rows[user_id]


def _end_sessions(user: User) -> None:
    """Sessions and tokens are bound to the password's hash: without one all of them are over for good."""
    user.set_unusable_password()


def _mail_link(user: User, template: str, subject: str) -> None:
    path = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)},
    )
    context = {
        "name": user.name,
        "role": Role(user.role).label,
        "link": f"{settings.PORTAL_URL}{path}",
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        "is_staff_member": user.is_staff_member,
    }
    mail.send(to=user.email, subject=subject, template=template, context=context)
