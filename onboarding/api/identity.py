"""The endpoints of the identity check. The link is given to a POST alone: reading never shows it."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import selectors, standing
from onboarding.api import serializers as io
from onboarding.api.views import CustomerView
from onboarding.identity import renewal, services
from onboarding.identity.delivery import delivery_now
from onboarding.identity.standing import stand_of
from onboarding.identity.standing import standing as told_of
from onboarding.models import Application, IdentityCheck
from portal.api.schema import answers
from portal.errors import NotFound

#: While the check is open; afterwards there is none to read.
STATES = [choice for choice in IdentityCheck.Status.choices if choice[0] != IdentityCheck.Status.RESOLVED]


class IdentityCheckSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=STATES)
    expires_at = io.Moment(
        allow_null=True, help_text="Until when the present link works; null while there is none."
    )
    links_used = serializers.IntegerField(help_text="Links given out so far.")
    links_left = serializers.IntegerField(help_text="Links that can still be asked for, of three.")
    may_open = serializers.BooleanField(help_text="Whether POST …/link gives the link now.")
    may_renew = serializers.BooleanField(help_text="Whether POST …/renewal can bring a link now.")
    with_us = serializers.BooleanField(
        help_text="A person of ours takes over: nothing to do for the customer."
    )
    title = serializers.CharField(help_text="What to show the person.")
    body = serializers.CharField(help_text="What it means, in sentences.")
    also_sent = serializers.ListField(
        child=serializers.CharField(), help_text="Sentences about where else the first link was sent."
    )


class IdentityLinkSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(
        help_text="Open it in the system browser at once. Do not store, log or share it: whoever holds it can start "
        "the check."
    )
    expires_at = io.Moment()


def _state(application: Application) -> Response:
    account = standing.account_of(application)
    found = stand_of(account)
    if account is None or found is None:
        raise NotFound("No identity check is asked for.")
    told = told_of(account)
    ways = delivery_now()
    data = {
        "status": found.status,
        "expires_at": found.expires_at,
        "links_used": found.links_used,
        "links_left": found.links_left,
        "may_open": found.expires_at is not None and services.may_open(account, ways),
        "may_renew": found.expires_at is None and found.status != IdentityCheck.Status.EXHAUSTED,
        "with_us": found.with_us,
        "title": told.title,
        "body": " ".join(told.body),
        "also_sent": ways.words,
    }
    return Response(IdentityCheckSerializer(data).data)


class IdentityCheckView(CustomerView):
    @extend_schema(
        operation_id="identity_check",
        summary="The identity check: where it stands",
        responses=answers(200, IdentityCheckSerializer, "not-found"),
    )
    def get(self, request: Request, application_id: UUID) -> Response:
        """404 while none is asked for. Reading costs no link and fetches none."""
        return _state(selectors.application_for_customer(self.user, application_id))


class IdentityLinkView(CustomerView):
    @extend_schema(
        operation_id="identity_check_link",
        summary="The link of the identity check, to open now",
        request=None,
        responses=answers(200, IdentityLinkSerializer, "not-found", "conflict"),
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        """The living link, noted as opened. 409 where none lives, or it reaches the customer another way."""
        link = services.link_open(actor=self.user, application_id=application_id, source="api")
        assert link.url is not None, "a living link has its address"
        data = {"url": link.url.reveal(), "expires_at": link.expires_at}
        return Response(IdentityLinkSerializer(data).data, headers={"Cache-Control": "no-store"})


class IdentityRenewalView(CustomerView):
    @extend_schema(
        operation_id="identity_check_renew",
        summary="Fetch a new link, where none lives",
        request=None,
        responses=answers(200, IdentityCheckSerializer, "not-found", "conflict", "provider-away"),
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        """Call it when the customer asks for it, never by yourself: three links are all there are.

        Repeating it is safe: while a link lives nothing is fetched. `exhausted` means that there are no more.
        409 while one is being fetched, or when the provider refused; 503 when it cannot be reached.
        """
        renewal.link_renew(actor=self.user, application_id=application_id, source="api")
        return _state(selectors.application_for_customer(self.user, application_id))
