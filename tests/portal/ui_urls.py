"""The gallery alone, under every name the shells link to."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from portal.models import Role, User
from portal.views.gallery import GalleryView


def gallery(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """The gallery as the role in `?as=` sees it; nobody is stored."""
    role = request.GET.get("as", "administrator")
    user = (
        User(email="ana.reyes@partner.example", name="Ana Reyes", role=Role(role))
        if role != "nobody"
        else None
    )
    request.user = user or AnonymousUser()
    return GalleryView.as_view()(request)


def names(*words: str) -> Any:
    return [path(f"{word}/", gallery, name=word) for word in words]


urlpatterns = [
    path("", gallery, name="home"),
    path("dev/components/", gallery, name="gallery"),
    path("staff/", include((names("applications"), "staff"))),
    path("inbox/", include((names("list"), "inbox"))),
    path("operations/", include((names("outbox", "home"), "operations"))),
    path("audit/", include((names("list"), "audit"))),
    path("users/", include((names("list"), "users"))),
    path("your-data/", include((names("home"), "privacy"))),
    path("money/", include((names("home"), "money"))),
    *names(
        "find", "account_login", "account_logout", "account_email", "account_change_password", "mfa_index"
    ),
]
