"""Changing who may sign in and as what: the rules, whoever calls."""

import threading
from collections.abc import Callable
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import connection, connections
from django.test import Client

from portal.auth import staff as services
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, Role, User
from tests.people import PASSWORD, make_customer_user
from tests.portal.auth_flows import link_in, log_in, mails_to, signed_in_as, totp_code

pytestmark = pytest.mark.django_db
UNPRIVILEGED = [role for role in Role.values if role != Role.ADMINISTRATOR]


@pytest.fixture
def admin(staff: Callable[[str], User]) -> User:
    return staff("administrator")


def invite(actor: User, **changes: str) -> User:
    return services.staff_invite(
        actor=actor, **({"email": "New@Example.test", "name": "New Person", "role": "auditor"} | changes)
    )


def test_an_invited_colleague_sets_a_password_and_then_a_second_factor(admin: User, client: Client) -> None:
    user = invite(admin)
    assert (user.email, user.role, user.has_usable_password()) == ("new@example.test", "auditor", False)
    entry = AuditEntry.objects.get(action="user.invited")
    assert (entry.actor, entry.subject_id, entry.after) == (admin, user.pk, {"role": "auditor"})

    path = link_in(mails_to("new@example.test")[0]["text"])
    form = client.get(path, follow=True).request["PATH_INFO"]
    client.post(form, {"password1": PASSWORD, "password2": PASSWORD})
    assert EmailAddress.objects.get(user=user).verified
    log_in(client, user.email)
    assert signed_in_as(client) == str(user.pk)
    assert client.get("/staff/users/").url == "/account/2fa/"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"email": "nonsense"}, "email"), ({"role": "customer"}, "role"), ({"role": "root"}, "role")],
)
def test_a_bad_invitation_is_refused(admin: User, changes: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        invite(admin, **changes)
    assert list(refused.value.fields) == [field]
    assert not User.objects.exclude(pk=admin.pk).exists()


def test_a_taken_address_is_refused_and_nothing_is_mailed(admin: User) -> None:
    taken = make_customer_user()
    with pytest.raises(Invalid):
        invite(admin, email=taken.email.upper())
    taken.refresh_from_db()
    assert taken.role == Role.CUSTOMER
    assert mails_to(taken.email) == []


def test_a_fresh_link_is_sent_only_while_there_is_no_password(
    admin: User, staff: Callable[[str], User]
) -> None:
    user = invite(admin)
    services.staff_invitation_send(actor=admin, user_id=user.pk)
    assert len(mails_to(user.email)) == 2
    with pytest.raises(Conflict):
        services.staff_invitation_send(actor=admin, user_id=staff("auditor").pk)


def test_a_role_is_changed_with_its_reason(admin: User, staff: Callable[[str], User]) -> None:
    user = staff("auditor")
    services.staff_role_change(actor=admin, user_id=user.pk, role="onboarding_agent", reason="New team")
    user.refresh_from_db()
    assert user.role == "onboarding_agent"
    entry = AuditEntry.objects.get(action="user.role_changed")
    assert (entry.before, entry.after, entry.reason) == (
        {"role": "auditor"},
        {"role": "onboarding_agent"},
        "New team",
    )


def test_customers_never_become_staff_nor_staff_customers(admin: User, staff: Callable[[str], User]) -> None:
    customer = make_customer_user()
    with pytest.raises(Conflict):
        services.staff_role_change(actor=admin, user_id=customer.pk, role="auditor", reason="x")
    with pytest.raises(Invalid):
        services.staff_role_change(actor=admin, user_id=staff("auditor").pk, role="customer", reason="x")
    customer.refresh_from_db()
    assert customer.role == Role.CUSTOMER


def test_switching_off_ends_everything_for_good(admin: User, client: Client) -> None:
    user = make_customer_user()
    log_in(client, user.email)
    services.user_deactivate(actor=admin, user_id=user.pk, reason="Left")
    assert client.get("/account/2fa/").status_code == 302

    services.user_reactivate(actor=admin, user_id=user.pk, reason="Came back")
    assert client.get("/account/2fa/").status_code == 302, "the old session must stay ended"
    log_in(client, user.email)
    assert signed_in_as(client) == "", "the old password must not work either"
    path = link_in(mails_to(user.email)[-1]["text"])
    form = client.get(path, follow=True).request["PATH_INFO"]
    client.post(form, {"password1": PASSWORD, "password2": PASSWORD})
    log_in(client, user.email)
    assert signed_in_as(client) == str(user.pk)
    reasons = (
        AuditEntry.objects.filter(action__startswith="user.").order_by("at").values_list("action", "reason")
    )
    assert list(reasons) == [("user.deactivated", "Left"), ("user.reactivated", "Came back")]


def test_a_reset_second_factor_is_gone_with_the_sessions(
    admin: User, staff: Callable[[str], User], client: Client
) -> None:
    user = staff("auditor")
    log_in(client, user.email)
    client.post("/account/2fa/authenticate/", {"code": totp_code(user)})
    services.second_factor_reset(actor=admin, user_id=user.pk, reason="Lost phone")
    assert not Authenticator.objects.filter(user=user).exists()
    assert client.get("/account/2fa/").status_code == 302
    log_in(client, user.email)
    assert signed_in_as(client) == "", "the old password alone must not open the door to a new factor"
    assert mails_to(user.email)
    with pytest.raises(Conflict):
        services.second_factor_reset(actor=admin, user_id=user.pk, reason="Again")


CHANGES: list[Callable[[User, User], object]] = [
    lambda actor, user: services.staff_role_change(actor=actor, user_id=user.pk, role="auditor", reason="x"),
    lambda actor, user: services.user_deactivate(actor=actor, user_id=user.pk, reason="x"),
    lambda actor, user: services.user_reactivate(actor=actor, user_id=user.pk, reason="x"),
    lambda actor, user: services.second_factor_reset(actor=actor, user_id=user.pk, reason="x"),
    lambda actor, user: services.staff_invitation_send(actor=actor, user_id=user.pk),
]


@pytest.mark.parametrize("change", CHANGES)
def test_nobody_changes_their_own_access(admin: User, change: Callable[[User, User], object]) -> None:
    with pytest.raises(Forbidden):
        change(admin, admin)
    admin.refresh_from_db()
    assert (admin.role, admin.is_active, admin.has_usable_password()) == ("administrator", True, True)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("role", UNPRIVILEGED)
def test_only_administrators_change_anything(staff: Callable[[str], User], role: str) -> None:
    actor, target = staff(role), staff("compliance_manager")
    for change in CHANGES:
        with pytest.raises(Forbidden):
            change(actor, target)
    with pytest.raises(Forbidden):
        invite(actor)
    target.refresh_from_db()
    assert (target.role, target.is_active) == ("compliance_manager", True)
    assert not AuditEntry.objects.exists()


def test_an_unknown_person_is_not_found(admin: User) -> None:
    with pytest.raises(NotFound):
        services.user_deactivate(actor=admin, user_id=uuid4(), reason="x")


def test_an_administrator_switched_off_meanwhile_changes_nothing(
    admin: User, staff: Callable[[str], User]
) -> None:
    User.objects.filter(pk=admin.pk).update(is_active=False)
    with pytest.raises(Forbidden):
        services.user_deactivate(actor=admin, user_id=staff("auditor").pk, reason="x")


@pytest.mark.django_db(transaction=True)
def test_two_administrators_removing_each_other_leave_one(staff: Callable[[str], User]) -> None:
    first, second = staff("administrator"), staff("administrator")
    together, refused = threading.Barrier(2), []

    def remove(actor: User, target: User) -> None:
        try:
            together.wait(10)
            services.staff_role_change(actor=actor, user_id=target.pk, role="auditor", reason="race")
        except Forbidden as error:
            refused.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=remove, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert User.objects.filter(role="administrator", is_active=True).count() == 1
    assert len(refused) == 1
    assert connection.vendor == "postgresql"
