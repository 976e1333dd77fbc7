"""Mobile tokens: sign-in, rotation, the second factor, log-out, and staff without a factor kept out."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIRequestFactory

from portal.auth.tokens import TokenAuthentication
from portal.models import AuditEntry, User
from tests.people import PASSWORD
from tests.portal.auth_flows import APP, log_in, totp_code

pytestmark = pytest.mark.django_db


def post(client: Client, path: str, body: dict[str, Any], **headers: str) -> Any:
    return client.post(f"{APP}{path}", body, content_type="application/json", headers=headers)


def log_in_app(client: Client, user: User, **headers: str) -> Any:
    return post(client, "/auth/login", {"email": user.email, "password": PASSWORD}, **headers)


def whose(token: str) -> User | None:
    """The user that the REST API takes the token for; None when it refuses."""
    request = APIRequestFactory().get("/api/v1/", HTTP_AUTHORIZATION=f"Bearer {token}")
    try:
        found = TokenAuthentication().authenticate(request)
    except AuthenticationFailed:
        return None
    assert found is not None
    return found[0]


def test_sign_in_gives_tokens_and_signing_out_kills_them(client: Client, customer_user: User) -> None:
    answer = log_in_app(client, customer_user)
    meta = answer.json()["meta"]
    assert whose(meta["access_token"]) == customer_user
    assert AuditEntry.objects.get(action="auth.login").source == "app"

    client.delete(f"{APP}/auth/session", headers={"X-Session-Token": meta["session_token"]})
    assert whose(meta["access_token"]) is None
    assert post(client, "/tokens/refresh", {"refresh_token": meta["refresh_token"]}).status_code == 400
    assert AuditEntry.objects.get(action="auth.logout").source == "app"


def test_refreshing_rotates_and_the_old_token_is_dead(client: Client, customer_user: User) -> None:
    meta = log_in_app(client, customer_user).json()["meta"]
    fresh = post(client, "/tokens/refresh", {"refresh_token": meta["refresh_token"]}).json()["data"]
    assert whose(fresh["access_token"]) == customer_user
    assert post(client, "/tokens/refresh", {"refresh_token": meta["refresh_token"]}).status_code == 400
    assert post(client, "/tokens/refresh", {"refresh_token": fresh["refresh_token"]}).status_code == 200


def test_a_changed_password_or_a_switched_off_account_kills_tokens(
    client: Client, customer_user: User
) -> None:
    first, second = (log_in_app(Client(), customer_user).json()["meta"] for _ in range(2))
    User.objects.filter(pk=customer_user.pk).update(is_active=False)
    assert whose(first["access_token"]) is None
    customer_user.set_password("another long passphrase")
    customer_user.is_active = True
    customer_user.save()
    assert whose(second["access_token"]) is None
    assert post(client, "/tokens/refresh", {"refresh_token": second["refresh_token"]}).status_code == 400


def test_a_wrong_password_gives_nothing(client: Client, customer_user: User) -> None:
    answer = post(client, "/auth/login", {"email": customer_user.email, "password": "wrong wrong"})
    assert answer.status_code == 400
    assert "meta" not in answer.json()
    assert AuditEntry.objects.get(action="auth.login_failed").source == "app"


def test_the_second_factor_is_a_step_of_its_own(client: Client, staff: Callable[[str], User]) -> None:
    user = staff("auditor")
    answer = log_in_app(client, user)
    assert answer.status_code == 401
    pending = [flow for flow in answer.json()["data"]["flows"] if flow.get("is_pending")]
    assert [flow["id"] for flow in pending] == ["mfa_authenticate"]
    assert "access_token" not in answer.json()["meta"]

    session = {"X-Session-Token": answer.json()["meta"]["session_token"]}
    assert post(client, "/auth/2fa/authenticate", {"code": "000000"}, **session).status_code == 400
    answer = post(client, "/auth/2fa/authenticate", {"code": totp_code(user)}, **session)
    assert answer.status_code == 200
    assert whose(answer.json()["meta"]["access_token"]) == user


def test_staff_without_a_factor_get_no_token(client: Client, staff: Callable[[str], User]) -> None:
    user = staff("administrator")
    Authenticator.objects.filter(user=user).delete()
    answer = log_in_app(client, user)
    assert answer.status_code == 403
    assert "access_token" not in answer.content.decode()
    session = {"X-Session-Token": answer.json()["meta"]["session_token"]}
    assert client.get(f"{APP}/auth/session", headers=session).status_code in (401, 410)


def test_losing_the_factor_kills_the_tokens_of_staff(client: Client, staff: Callable[[str], User]) -> None:
    user = staff("administrator")
    session = {"X-Session-Token": log_in_app(client, user).json()["meta"]["session_token"]}
    meta = post(client, "/auth/2fa/authenticate", {"code": totp_code(user)}, **session).json()["meta"]
    Authenticator.objects.filter(user=user).delete()
    assert whose(meta["access_token"]) is None
    assert post(client, "/tokens/refresh", {"refresh_token": meta["refresh_token"]}).status_code == 400


def test_a_browser_session_of_staff_without_a_factor_is_no_app_session(
    client: Client, staff: Callable[[str], User]
) -> None:
    user = staff("administrator")
    Authenticator.objects.filter(user=user).delete()
    log_in(client, user.email)
    key = client.cookies["sessionid"].value
    assert Client().get(f"{APP}/auth/session", headers={"X-Session-Token": key}).status_code == 410


def test_signing_up_by_app_makes_a_customer(client: Client) -> None:
    body = {"email": "app@example.test", "password": PASSWORD, "name": "App Person", "role": "administrator"}
    answer = post(client, "/auth/signup", body)
    assert answer.status_code == 401, "the address is to be verified first"
    user = User.objects.get(email="app@example.test")
    assert (user.role, user.name) == ("customer", "App Person")


def test_the_browser_client_is_closed(client: Client) -> None:
    assert client.get("/api/auth/browser/v1/config").status_code == 404


def test_the_description_of_the_sign_in_api_is_served(client: Client) -> None:
    assert client.get("/api/auth/openapi.json").json()["openapi"].startswith("3.")


def test_an_app_names_its_device_or_none(client: Client, customer_user: User) -> None:
    for key in ("", "too short", "4f0c9c1e-75f1-4a5e-9f0e-2f2f8a1f1c11"):
        log_in_app(client, customer_user, **({"X-Device-Key": key} if key else {}))
    entries = AuditEntry.objects.filter(action="auth.login").order_by("at", "id")
    first, second, third = [(entry.after or {}).get("device", "") for entry in entries]
    assert not first and not second
    assert len(third) == 32
    assert "device" not in client.cookies
