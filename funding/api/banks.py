"""The endpoints of linking a bank. Tokens that open Link are answered once to who asked, never listed."""

from typing import Any
from uuid import UUID

from django.db.models import TextChoices
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from funding import bank_words, services
from funding import permissions as mine
from funding.models import BankLogin, LinkedBank, LinkSession
from funding.services import Way
from funding.terms import live_bank
from onboarding.api import serializers as io
from onboarding.api.views import IDEMPOTENCY_KEY, CustomerView
from portal.api.idempotency import once
from portal.api.schema import answers
from portal.errors import Conflict, NotFound

Login = BankLogin.Status


class BankLinkState(TextChoices):
    OPEN = "open", "Link can be opened, or is"
    EXPIRED = "expired", "Link was not finished in time"
    EXITED = "exited", "The customer left Link"
    FINISHED = "finished", "A new sign-in is done"
    READING = "reading", "The bank is being asked which accounts there are"
    CHOOSE = "choose", "One of `accounts` is to be chosen"
    REPLACING = "replacing", "The bank before is being unlinked"
    CHOSEN = "chosen", "Chosen; see the bank"
    FAILED = "failed", "The bank's answer was lost: link again"
    REMOVED = "removed", "Ended"


_BY_LOGIN = {
    Login.READING: BankLinkState.READING,
    Login.CHOOSE: BankLinkState.CHOOSE,
    Login.REPLACING: BankLinkState.REPLACING,
    Login.USED: BankLinkState.CHOSEN,
    Login.FAILED: BankLinkState.FAILED,
    Login.REMOVING: BankLinkState.REMOVED,
    Login.REMOVED: BankLinkState.REMOVED,
}


class BankLinkStartSerializer(serializers.Serializer[Any]):
    purpose = serializers.ChoiceField(
        choices=LinkSession.Purpose.choices,
        default=LinkSession.Purpose.NEW,
        help_text="`update` when the bank asks for a new sign-in.",
    )
    hosted = serializers.BooleanField(
        default=False, help_text="true: a page of Plaid's for the system browser, in place of Plaid's SDK."
    )
    redirect_uri = serializers.URLField(
        required=False,
        max_length=300,
        help_text="Where a bank's own sign-in leads back to, for the SDK on telephones: an https link of the app, "
        "without a query, registered with Plaid.",
    )
    completion_redirect = serializers.URLField(
        required=False, max_length=300, help_text="Where Plaid's page leads in the end, with `hosted`."
    )


class BankAccountSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    mask = serializers.CharField(help_text="The last digits, as the bank shows them; may be empty.")
    subtype = serializers.ChoiceField(choices=[("checking", "Checking"), ("savings", "Savings")])
    offered = serializers.BooleanField(
        help_text="false: it cannot be linked, since its number is not verified."
    )


class BankLinkSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    purpose = serializers.ChoiceField(choices=LinkSession.Purpose.choices)
    state = serializers.ChoiceField(choices=BankLinkState.choices)
    institution = serializers.CharField(help_text="Empty until the bank was asked.")
    accounts = BankAccountSerializer(many=True, help_text="In the state `choose`, else empty.")
    failed_because = serializers.CharField(help_text="In the state `failed` why, and what to do; else empty.")
    expires_at = io.Moment(help_text="Until when Link can be finished.")
    created_at = io.Moment()


class BankLinkStartedSerializer(BankLinkSerializer):
    link_token = serializers.CharField(help_text="Open Plaid's SDK with it. Empty once Link is over.")
    hosted_url = serializers.CharField(
        help_text="Open it in the system browser. Empty without `hosted`. Do not store, log or share it."
    )


class BankLinkExchangeSerializer(serializers.Serializer[Any]):
    public_token = serializers.CharField(max_length=200, help_text="As Link's success gave it.")


class BankLinkChooseSerializer(serializers.Serializer[Any]):
    account_id = serializers.CharField(max_length=128, help_text="The `id` of one of `accounts`.")


class BankSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=LinkedBank.Status.choices)
    status_at = io.Moment()
    institution = serializers.CharField()
    name = serializers.CharField()
    mask = serializers.CharField()
    subtype = serializers.ChoiceField(choices=[("checking", "Checking"), ("savings", "Savings")])
    linked_at = io.Moment(allow_null=True)
    needs_sign_in = serializers.BooleanField(help_text="Start a link with the purpose `update`.")
    what_next = serializers.CharField(
        help_text="What happens next while it is being linked or unlinked, to be shown as it is; else empty."
    )
    looked_at_since = io.Moment(
        allow_null=True,
        help_text="Since when a person finds out whether it is linked or unlinked; else null.",
    )
    refused_because = serializers.CharField(help_text="Why it was not linked, else empty.")


def _link(session: LinkSession) -> dict[str, Any]:
    login = BankLogin.objects.filter(session=session).order_by("-created_at").first()
    choosing = login is not None and login.status == Login.CHOOSE and login.accounts is not None
    return {
        "id": session.pk,
        "purpose": session.purpose,
        "state": _state(session, login),
        "institution": login.institution if login else "",
        "accounts": login.accounts.reveal() if login and choosing and login.accounts else [],
        "failed_because": bank_words.login_failed(login) if login and login.status == Login.FAILED else "",
        "expires_at": session.expires_at,
        "created_at": session.created_at,
    }


def _state(session: LinkSession, login: BankLogin | None) -> str:
    if login is not None:
        return _BY_LOGIN[Login(login.status)]
    if session.finished_at is None:
        return BankLinkState.OPEN if session.is_open else BankLinkState.EXPIRED
    return BankLinkState.FINISHED if session.outcome == LinkSession.Outcome.SUCCESS else BankLinkState.EXITED


def _bank(bank: LinkedBank) -> dict[str, Any]:
    names = ("status", "status_at", "institution", "name", "mask", "subtype", "linked_at")
    return {
        "id": bank.pk,
        **{name: getattr(bank, name) for name in names},
        "needs_sign_in": bank.status == LinkedBank.Status.SIGN_IN,
        "what_next": bank_words.what_next(bank),
        "looked_at_since": bank.stuck_at,
        "refused_because": bank_words.refusal(bank) if bank_words.was_refused(bank) else "",
    }


class _LinkView(CustomerView):
    def session(self, account_id: UUID, link_id: UUID) -> LinkSession:
        """The link of the customer's own account. Raises NotFound."""
        account = mine.account_for(self.user, account_id)
        found = LinkSession.objects.filter(pk=link_id, account=account).first()
        if found is None:
            raise NotFound("There is no such link.")
        return found

    def told(self, link_id: UUID, status: int = 200) -> Response:
        """The link as it is now."""
        return Response(BankLinkSerializer(_link(LinkSession.objects.get(pk=link_id))).data, status=status)


class BankLinksView(_LinkView):
    @extend_schema(
        operation_id="bank_links",
        summary="The openings of Link, newest first",
        responses=answers(200, BankLinkSerializer(many=True), "not-found"),
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """The newest 25; no tokens."""
        account = mine.account_for(self.user, account_id)
        rows = LinkSession.objects.filter(account=account).order_by("-created_at")[:25]
        return Response(BankLinkSerializer([_link(row) for row in rows], many=True).data)

    @extend_schema(
        operation_id="bank_link_start",
        summary="Begin to link a bank, or to sign in at it again",
        description="A fresh token for Plaid's Link. A repeat with the same Idempotency-Key gives the same one.",
        parameters=[IDEMPOTENCY_KEY],
        request=BankLinkStartSerializer,
        responses=answers(
            201,
            BankLinkStartedSerializer,
            "not-found",
            "conflict",
            "idempotency-key-reused",
            "provider-away",
            reads_body=True,
        ),
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        """409 says in `detail` every reason why no bank can be linked now; 503 when Plaid cannot be reached."""
        asked = BankLinkStartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        way = Way(data["hosted"], data.get("redirect_uri"), data.get("completion_redirect"))

        def work() -> tuple[int, Any]:
            made = services.link_start(
                actor=self.user, account_id=account_id, purpose=data["purpose"], way=way, source="api"
            )
            # The token stays under seal: what is kept for a repeat names the link alone.
            return 201, str(made.pk)

        answer = once(request, "bank.link_start", work)
        session = LinkSession.objects.get(pk=answer.data)
        told = _link(session) | {
            "link_token": session.token.reveal() if session.token else "",
            "hosted_url": session.hosted_url.reveal() if session.hosted_url else "",
        }
        return Response(
            BankLinkStartedSerializer(told).data,
            status=answer.status_code,
            headers={"Cache-Control": "no-store"},
        )


class BankLinkView(_LinkView):
    @extend_schema(
        operation_id="bank_link",
        summary="One link: how far it is, and which accounts may be chosen",
        responses=answers(200, BankLinkSerializer, "not-found"),
    )
    def get(self, request: Request, account_id: UUID, link_id: UUID) -> Response:
        """Ask again after a second while the state is `reading`."""
        return self.told(self.session(account_id, link_id).pk)


class ExchangeView(_LinkView):
    @extend_schema(
        operation_id="bank_link_exchange",
        summary="Bring the public token that Link gave",
        request=BankLinkExchangeSerializer,
        responses=answers(202, BankLinkSerializer, "not-found", "conflict", reads_body=True),
    )
    def post(self, request: Request, account_id: UUID, link_id: UUID) -> Response:
        """The same token may be brought any number of times: it is exchanged once."""
        sent = BankLinkExchangeSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        session = self.session(account_id, link_id)
        services.link_bring(
            actor=self.user,
            session_id=session.pk,
            public_token=sent.validated_data["public_token"],
            source="api",
        )
        return self.told(session.pk, 202)


class EndView(_LinkView):
    @extend_schema(
        operation_id="bank_link_end",
        summary="Say that the customer is through with Link",
        request=None,
        responses=answers(202, BankLinkSerializer, "not-found"),
    )
    def post(self, request: Request, account_id: UUID, link_id: UUID) -> Response:
        """After a new sign-in (`update`), which brings no token, and when the app comes back from `hosted_url`."""
        session = services.link_end(
            actor=self.user, session_id=self.session(account_id, link_id).pk, source="api"
        )
        return self.told(session.pk, 202)


class ChooseView(_LinkView):
    @extend_schema(
        operation_id="bank_link_choose",
        summary="Choose the account to link",
        request=BankLinkChooseSerializer,
        responses=answers(202, BankLinkSerializer, "not-found", "conflict", reads_body=True),
    )
    def post(self, request: Request, account_id: UUID, link_id: UUID) -> Response:
        """A bank that is linked is unlinked first. Choosing the same again changes nothing."""
        sent = BankLinkChooseSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        session = self.session(account_id, link_id)
        login = BankLogin.objects.filter(session=session).order_by("-created_at").first()
        if login is None:
            raise Conflict("Bring the public token first.")
        services.account_choose(
            actor=self.user,
            login_id=login.pk,
            plaid_account_id=sent.validated_data["account_id"],
            source="api",
        )
        return self.told(session.pk, 202)


class BankView(CustomerView):
    @extend_schema(
        operation_id="bank",
        summary="The linked bank, or the last one",
        responses=answers(200, BankSerializer, "not-found"),
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """404 when none was ever chosen."""
        account = mine.account_for(self.user, account_id)
        rows = LinkedBank.objects.filter(account=account).order_by("-created_at")
        found = live_bank(account) or rows.first()
        if found is None:
            raise NotFound("No bank is linked.")
        return Response(BankSerializer(_bank(found)).data)

    @extend_schema(
        operation_id="bank_unlink",
        summary="Unlink the bank",
        request=None,
        responses=answers(202, BankSerializer, "not-found", "conflict"),
    )
    def delete(self, request: Request, account_id: UUID) -> Response:
        """At the provider first, then at Plaid. 409 while a deposit from it is under way."""
        bank = services.bank_unlink(actor=self.user, account_id=account_id, source="api")
        return Response(BankSerializer(_bank(bank)).data, status=202)
