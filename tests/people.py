"""People for tests: made by the same calls the product uses."""

from itertools import count

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from portal.auth.factors import mark_session
from portal.models import Role, User

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def make_customer_user(name: str = "Ana Ortiz") -> User:
    """A customer with a verified e-mail."""
    user = User.objects.create_user(f"customer{next(_numbers)}@example.test", PASSWORD, name=name)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def make_staff(role: str = Role.COMPLIANCE_ANALYST) -> User:
    """A staff member in `role` with a TOTP second factor."""
    user = User.objects.create_user(
        f"{role}{next(_numbers)}@example.test", PASSWORD, name=role.replace("_", " "), role=role
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    totp.TOTP.activate(user, totp.generate_totp_secret())
    return user


def sign_in(client: Client, user: User) -> Client:
    """Sign the client in as the user; staff as if they had just shown their second factor."""
    client.force_login(user)
    session = client.session
    mark_session(session, user)
    session.save()
    return client
