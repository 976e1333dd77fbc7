"""Staff pages open only to sessions that showed a second factor (allauth has no such switch)."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from portal.api.errors import problem
from portal.auth.factors import confirm_url, has_second_factor, session_is_enough
from portal.models import User

#: Names of addresses that need no second factor. With one enrolled a session can only show it or sign out;
#: viewing recovery codes or adding a key with the password alone would lead around it.
ALWAYS_OPEN = frozenset(
    {
        "healthz", "readyz", "metrics", "account_logout", "account_login", "account_reauthenticate",
        "mfa_authenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "problem_types", "problem_type",
    }
)  # fmt: skip
#: What staff without a second factor may open besides: the pages on which they set one up.
OPEN_TO_ENROL = frozenset({"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_change_password"})


class StaffSecondFactorMiddleware:
    """Send staff whose session did not show a second factor to set one up, or to show it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        user = request.user
        match = request.resolver_match
        if not user.is_authenticated or match is None or session_is_enough(request.session, user):
            return None
        name = match.view_name
        # Headless endpoints read no cookie, and portal.auth.tokens guards the tokens they do read.
        if name in ALWAYS_OPEN or match.namespaces[:1] == ["headless"]:
            return None
        enrolled = has_second_factor(user)
        if not enrolled and name in OPEN_TO_ENROL:
            return None
        return self._refuse(request, user, enrolled)

    def _refuse(self, request: HttpRequest, user: User, enrolled: bool) -> HttpResponse:
        if request.path.startswith("/api/"):
            detail = "Staff use the API only after signing in with a second factor."
            body = problem(code="second-factor-required", detail=detail)
            return JsonResponse(body, status=403, content_type="application/problem+json")
        if not enrolled:
            if request.resolver_match is not None and request.resolver_match.view_name != "home":
                messages.info(request, "Staff sign in with a second factor. Set one up to go on.")
            return redirect("mfa_index")
        following = request.get_full_path() if request.method == "GET" else reverse("home")
        return redirect(confirm_url(user, following))
