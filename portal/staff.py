"""What pages share: who is signed in, and that staff pages are for staff."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from portal.errors import Forbidden
from portal.models import User

View = Callable[..., HttpResponseBase]


def user_of(request: HttpRequest) -> User:
    """The signed-in user."""
    assert isinstance(request.user, User)
    return request.user


def staff_page(view: View) -> View:
    """For signed-in staff; what they may do is asked by the selectors and services themselves."""

    @wraps(view)
    @login_required
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not user_of(request).is_staff_member:
            raise Forbidden("This page is for staff.")
        return view(request, *args, **kwargs)

    return guarded
