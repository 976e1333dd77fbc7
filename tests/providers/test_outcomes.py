"""What each error means to the outbox, and the clients that settings make."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import ids, outbox
from portal.models.outbox import OutboundCall
from providers import clients
from providers.bakkt.crypto import CryptoClient
from providers.errors import (
    Busy,
    CircuitOpen,
    Conflict,
    FieldProblem,
    Misconfigured,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
)
from providers.models import CallLog
from providers.outcomes import as_outcome
from tests.providers.bakkt_samples import account_reply, account_request
from tests.providers.talker import Talker, answer


def failing(error: Exception) -> Callable[[], Any]:
    def call() -> Any:
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (OutcomeUnknown("Gone", status=500, code="x"), outbox.Unknown("Gone (status 500, x)")),
        (NotSent("No connection"), outbox.NotSent("No connection")),
        (CircuitOpen("Held", retry_after=12.5), outbox.NotSent("Held", timedelta(seconds=12.5))),
        (Busy("Slow", retry_after=0.0), outbox.NotSent("Slow", timedelta(0))),
        (Busy("Slow"), outbox.NotSent("Slow")),
        (Misconfigured("Not let in"), outbox.Misconfigured("Not let in")),
        (NotFound("None"), outbox.Refused("None")),
        (Conflict("Before"), outbox.Refused("Before")),
        (ProviderError("Odd"), outbox.Unknown("Odd")),
        (
            Rejected("No", fields=[FieldProblem("606", "owners[0].role", "wrong")]),
            outbox.Refused("No", [{"code": "606", "field": "owners[0].role", "message": "wrong"}]),
        ),
    ],
)
def test_every_error(error: ProviderError, outcome: outbox.Outcome) -> None:
    assert as_outcome(failing(error), lambda _: {}) == outcome


def test_our_own_faults_pass() -> None:
    with pytest.raises(KeyError):
        as_outcome(failing(KeyError("bug")), lambda _: {})


@pytest.mark.django_db
def test_a_success_keeps_the_answer_and_names_the_subject(
    talker: Talker, make_client: Callable[..., CryptoClient]
) -> None:
    talker.then("/apex-crypto/api/v2/accounts", answer(200, account_reply()))
    call = OutboundCall(subject_type="onboarding.application", subject_id=ids.new_id())
    client = make_client()
    outcome = as_outcome(
        lambda: client.save_account(account_request()), lambda a: {"status": a.status}, call=call
    )
    assert outcome == outbox.Succeeded({"status": "PENDING"})
    rows = CallLog.objects.filter(subject_id=call.subject_id, outbound_call_id=call.pk)
    assert rows.count() == 2


@pytest.mark.django_db
def test_clients_come_from_settings(talker: Talker, settings: Any) -> None:
    settings.BAKKT_CRYPTO_URL = settings.BAKKT_PARTNER_URL = talker.url
    talker.then("/apex-crypto/api/status", answer(200, "ok"))
    assert clients.bakkt_crypto().gateway_status() == "ok"
    assert clients.bakkt_crypto(waiting=True).gateway_status() == "ok"
    assert clients.bakkt_crypto() is clients.bakkt_crypto()
    assert clients.bakkt_partner() is not clients.bakkt_partner(waiting=True)
    settings.BAKKT_CRYPTO_URL = ""
    with pytest.raises(ImproperlyConfigured, match="BAKKT_CRYPTO_URL"):
        clients.bakkt_crypto()
