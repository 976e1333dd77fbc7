"""Addresses of sign-in, of staff administration, and of the development pages around them."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from portal.api.errors import not_found
from portal.views import devmail, devtotp, home, users

users_urls = [
    path("", users.user_list, name="list"),
    path("invite/", users.user_invite, name="invite"),
    path("<uuid:user_id>/", users.user_detail, name="detail"),
    path("<uuid:user_id>/role/", users.user_role, name="role"),
    path("<uuid:user_id>/active/", users.user_active, name="active"),
    path("<uuid:user_id>/second-factor/", users.user_second_factor, name="second_factor"),
    path("<uuid:user_id>/link/", users.user_link, name="link"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("account/", include("allauth.urls")),
    # Nobody signs in by a phone's or a mailed code here. allauth mounts these all the same, and fails on some of them.
    re_path(r"^api/auth/app/v1/(account/phone|auth/phone/|auth/code/)", not_found),
    path("api/auth/", include("allauth.headless.urls")),
    path("staff/users/", include((users_urls, "users"))),
    path("dev/mail/", devmail.mail_list, name="dev_mail"),
    path("dev/mail/<uuid:mail_id>/", devmail.mail_message, name="dev_mail_message"),
    path("dev/totp/<str:role>/", devtotp.codes, name="dev_totp"),
]
