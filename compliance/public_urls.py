"""Addresses that anybody may open: what a case file is checked with."""

from django.urls import path

from compliance.views import exports

app_name = "casefile"
urlpatterns = [
    path("case-file-keys.json", exports.public_keys, name="keys"),
    path("case-file-check.py", exports.checker, name="checker"),
]
