"""The site with one page more, which links a bank as an app does: the token in the session, the result kept."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import engines
from django.urls import path
from django.views.decorators.csrf import csrf_protect

from portal.urls import urlpatterns as ours
from providers import clients
from providers.plaid.page import allow_bank_link, bank_link

PAGE = """{% extends "base_customer.html" %}{% block title %}Bank{% endblock %}
{% block page_header %}{% page_header title=title %}{% endpage_header %}{% endblock %}
{% block content %}<p>Your bank will ask you to agree.</p>
{% include "components/bank_link.html" with action=request.path %}
{% endblock %}"""
#: What each POST brought.
BROUGHT: list[dict[str, Any]] = []


@csrf_protect
def page(request: HttpRequest) -> HttpResponse:
    here = request.build_absolute_uri("/try-bank-link/")
    if request.method == "POST":
        BROUGHT.append(request.POST.dict())
        if request.POST["done"]:
            return HttpResponse("<h1>Kept</h1>")
        hosted = clients.plaid().link_token_create(
            user_ref="u1",
            webhook=request.build_absolute_uri("/webhooks/plaid/"),
            hosted=True,
            completion_redirect=here + "back/",
        )
        return allow_bank_link(HttpResponseRedirect(hosted.hosted_url, status=303))
    if "oauth_state_id" not in request.GET:
        made = clients.plaid().link_token_create(user_ref="u1", webhook="", redirect_uri=here)
        request.session["link_token"] = made.token
    context = {"bank_link": bank_link(request.session["link_token"]), "title": "Link your bank"}
    return allow_bank_link(HttpResponse(engines["django"].from_string(PAGE).render(context, request)))


urlpatterns = [
    path("try-bank-link/", page),
    path("try-bank-link/back/", lambda _: HttpResponse("<h1>Back</h1>")),
    *ours,
]
