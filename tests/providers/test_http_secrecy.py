"""Nothing personal and no secret in logs, rows, errors or printed values, whatever happens."""

import logging
import traceback
from collections.abc import Callable

import pytest
from django.forms.models import model_to_dict

from portal import ids
from providers.bakkt.crypto import CryptoClient
from providers.bakkt.partner import DocumentVerification
from providers.bakkt.types import Account
from providers.errors import FieldProblem, ProviderError
from providers.http import Token, about
from providers.models import CallLog, HostCircuit, ProviderToken
from tests.providers.bakkt_samples import SECRETS, account_reply, account_request
from tests.providers.talker import Behaviour, Talker, answer, cut_off, dead_url, nonsense, reset, silent

LOGIN = "/apex-crypto/api/v2/login"
ACCOUNTS = "/apex-crypto/api/v2/accounts"
# A name, so that tracebacks quote it and not the value.
ACCOUNT = "ACC-000123"
READ = f"{ACCOUNTS}/{ACCOUNT}"

Make = Callable[..., CryptoClient]

COMPLAINT = {
    "code": 422,
    "message": "1 validation failed for 912345678",
    "validationErrors": [
        {
            "code": 606,
            "field": "owners[0].identity.taxId",
            "message": "912345678 is not a tax id",
            "rejectedValue": "912345678",
        }
    ],
}


def assert_clean(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text, secret


@pytest.mark.django_db
@pytest.mark.parametrize(
    "behaviour",
    [
        answer(200, account_reply()),
        answer(200, account_reply(status=None)),
        answer(422, COMPLAINT),
        answer(401, COMPLAINT),
        answer(500, COMPLAINT),
        answer(409, account_reply()),
        reset,
        silent(1),
        cut_off,
        nonsense,
    ],
)
def test_whatever_the_provider_does(
    talker: Talker, make_client: Make, caplog: pytest.LogCaptureFixture, behaviour: Behaviour
) -> None:
    caplog.set_level(logging.DEBUG)
    talker.then(ACCOUNTS, behaviour)
    talker.then(READ, behaviour)
    told = ""
    for act in (lambda c: c.save_account(account_request()), lambda c: c.read_account(ACCOUNT)):
        try:
            told += repr(act(make_client())).replace(ACCOUNT, "")
        except ProviderError as error:
            told += (
                "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error).get("fields", ""))
            )
            # A conflict's body is handed to the caller and printed by nobody.
    assert_clean(told)
    lines = caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    assert "provider_call" in lines
    assert_clean(lines)
    for model in (CallLog, HostCircuit, ProviderToken):
        for row in model.objects.all():
            assert_clean(repr(model_to_dict(row)) + str(row) + repr(row))


@pytest.mark.django_db
def test_an_unreachable_host_is_told_without_the_path(make_client: Make) -> None:
    client = make_client(url=dead_url())
    # Signed in already, so that the address that fails is the account's own.
    ProviderToken.objects.create(name=client._bearer.name, token="T0KEN-ONE")
    with pytest.raises(ProviderError) as caught:
        client.read_account(ACCOUNT)
    assert CallLog.objects.latest("id").operation == "bakkt.read_account"
    assert_clean("".join(traceback.format_exception(caught.value)))


def test_printed_values_hold_identifiers_only() -> None:
    request = account_request()
    texts = [
        repr(request),
        str(request),
        f"{request}",
        repr(request.owners[0]),
        repr(request.owners[0].identity),
    ]
    texts += [repr(Account.from_wire(account_reply())), repr(Token("T0KEN-ONE"))]
    texts += [repr(DocumentVerification("https://verify.example/s/T0KEN-ONE", None))]
    texts += [repr(FieldProblem("606", "taxId", "912345678 is not a tax id"))]
    for text in texts:
        assert_clean(text.replace(ACCOUNT, ""))
    assert "role=" in repr(request.owners[0])
    assert "PENDING" in repr(Account.from_wire(account_reply()))


@pytest.mark.django_db
def test_rows_stand_on_the_timeline_of_their_subject(talker: Talker, make_client: Make) -> None:
    talker.then(ACCOUNTS, answer(200, account_reply()))
    subject, call = ids.new_id(), ids.new_id()
    with about(subject_type="onboarding.application", subject_id=subject, outbound_call_id=call):
        make_client().save_account(account_request())
    rows = CallLog.objects.filter(subject_type="onboarding.application", subject_id=subject)
    assert list(rows.order_by("at").values_list("operation", flat=True)) == [
        "bakkt.login",
        "bakkt.save_account",
    ]
    assert set(rows.values_list("outbound_call_id", flat=True)) == {call}
    make_client().save_account(account_request())
    assert CallLog.objects.filter(subject_id=None).count() == 1
