"""The official client, carried by our transport. Imported on first use alone: its import takes half a second.

It builds and checks what is sent; the bytes travel through providers/http like every provider's, and the
answers are read by providers/plaid/types.py, which keeps amounts exact and lets unknown words pass.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import plaid
from plaid.api.plaid_api import PlaidApi
from plaid.model.accounts_balance_get_request import AccountsBalanceGetRequest
from plaid.model.accounts_balance_get_request_options import AccountsBalanceGetRequestOptions
from plaid.model.accounts_get_request import AccountsGetRequest
from plaid.model.address_data_nullable_no_required_fields import AddressDataNullableNoRequiredFields
from plaid.model.country_code import CountryCode
from plaid.model.depository_account_subtype import DepositoryAccountSubtype
from plaid.model.depository_account_subtypes import DepositoryAccountSubtypes
from plaid.model.depository_filter import DepositoryFilter
from plaid.model.identity_match_request import IdentityMatchRequest
from plaid.model.identity_match_request_options import IdentityMatchRequestOptions
from plaid.model.identity_match_user import IdentityMatchUser
from plaid.model.item_get_request import ItemGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
from plaid.model.item_webhook_update_request import ItemWebhookUpdateRequest
from plaid.model.link_token_account_filters import LinkTokenAccountFilters
from plaid.model.link_token_create_hosted_link import LinkTokenCreateHostedLink
from plaid.model.link_token_create_request import LinkTokenCreateRequest
from plaid.model.link_token_create_request_update import LinkTokenCreateRequestUpdate
from plaid.model.link_token_create_request_user import LinkTokenCreateRequestUser
from plaid.model.link_token_get_request import LinkTokenGetRequest
from plaid.model.processor_token_create_request import ProcessorTokenCreateRequest
from plaid.model.products import Products
from plaid.model.webhook_verification_key_get_request import WebhookVerificationKeyGetRequest

from providers.http import Call, Transport
from providers.plaid import types
from providers.plaid.problems import read_problem
from providers.plaid.types import OwnerAddress, PlaidCredentials

#: Headers the transport writes itself.
_OURS = frozenset({"accept", "content-type", "user-agent"})
#: How long a hosted page stays open; Plaid's own half hour is short for somebody who looks for a password.
HOSTED_SECONDS = 4 * 3600


@dataclass(frozen=True)
class Endpoint:
    """How a call is named in our log and read. `repeatable` calls change nothing and cost nothing; `slow` ones
    wait for the bank."""

    operation: str
    read: Callable[[Any], Any]
    repeatable: bool = False
    slow: bool = False


ENDPOINTS = {
    "/link/token/create": Endpoint("plaid.link_token", types.LinkTokenReply.from_wire),
    "/link/token/get": Endpoint("plaid.link_results", types.public_tokens, repeatable=True),
    "/item/public_token/exchange": Endpoint("plaid.exchange", types.ExchangeReply.from_wire),
    "/accounts/get": Endpoint("plaid.accounts", types.bank_accounts, repeatable=True),
    "/accounts/balance/get": Endpoint("plaid.balance", types.bank_accounts, slow=True),
    "/identity/match": Endpoint("plaid.identity_match", types.owner_matches, slow=True),
    "/processor/token/create": Endpoint("plaid.processor_token", types.ProcessorReply.from_wire),
    "/item/get": Endpoint("plaid.item", types.item_health, repeatable=True),
    "/item/remove": Endpoint("plaid.remove", types.done),
    "/item/webhook/update": Endpoint("plaid.webhook_update", types.done),
    "/webhook_verification_key/get": Endpoint("plaid.webhook_key", types.webhook_key, repeatable=True),
}


class _Carrier:
    """Stands where the official client keeps its HTTP library; answers with what the endpoint's reader made."""

    def __init__(self, base_url: str, transport: Transport, slow: Transport) -> None:
        self._base_url, self._transport, self._slow = base_url, transport, slow

    def POST(self, url: str, headers: Mapping[str, str], body: Any, **_: Any) -> Any:  # noqa: N802  (theirs)
        """Raises the errors of providers.errors."""
        path = url.removeprefix(self._base_url)
        endpoint = ENDPOINTS[path]
        call = Call(
            endpoint.operation,
            "POST",
            self._base_url,
            path,
            json=body,
            headers={name: value for name, value in headers.items() if name.lower() not in _OURS},
            repeatable=endpoint.repeatable,
            request_id_key="request_id",
            read_problem=read_problem,
        )
        return (self._slow if endpoint.slow else self._transport).call(call, endpoint.read)


class _Client(plaid.ApiClient):  # type: ignore[misc]  # plaid has no types
    """Forgets answers: the official client would keep the last one, tokens and all."""

    @property
    def last_response(self) -> None:
        return None

    @last_response.setter
    def last_response(self, answer: object) -> None:
        pass


def api(*, base_url: str, credentials: PlaidCredentials, transport: Transport, slow: Transport) -> "PlaidApi":
    """The official client over our transports. Call its methods with `_preload_content=False`."""
    urllib3, before = logging.getLogger("urllib3"), logging.getLogger("urllib3").level
    keys = {"clientId": credentials.client_id, "secret": credentials.secret}
    client = _Client(plaid.Configuration(host=base_url, api_key=keys))
    # Its configuration turns urllib3's warnings on, which quote filled paths.
    urllib3.setLevel(before)
    client.rest_client = _Carrier(base_url, transport, slow)
    return PlaidApi(client)


def link_token_request(
    *,
    client_name: str,
    user_ref: str,
    webhook: str,
    redirect_uri: str | None,
    hosted: bool,
    completion_redirect: str | None,
    access_token: str | None,
    account_selection: bool,
) -> Any:
    """For a new Item, or with `access_token` for update mode, which takes no products and no webhook."""
    fields: dict[str, Any] = {
        "client_name": client_name[:30],  # Link shows a generic name for a longer one
        "language": "en",
        "country_codes": [CountryCode("US")],
        "user": LinkTokenCreateRequestUser(client_user_id=user_ref),
    }
    if access_token:
        fields["access_token"] = access_token
        if account_selection:
            fields["update"] = LinkTokenCreateRequestUpdate(account_selection_enabled=True)
    else:
        kinds = [DepositoryAccountSubtype(name) for name in types.SUBTYPES]
        depository = DepositoryFilter(account_subtypes=DepositoryAccountSubtypes(kinds))
        fields["products"] = [Products("auth")]
        fields["required_if_supported_products"] = [Products("identity")]
        fields["account_filters"] = LinkTokenAccountFilters(depository=depository)
        fields["webhook"] = webhook
    if redirect_uri:
        fields["redirect_uri"] = redirect_uri
    if hosted:
        back = {"completion_redirect_uri": completion_redirect} if completion_redirect else {}
        fields["hosted_link"] = LinkTokenCreateHostedLink(url_lifetime_seconds=HOSTED_SECONDS, **back)
    return LinkTokenCreateRequest(**fields)


def link_results_request(link_token: str) -> Any:
    return LinkTokenGetRequest(link_token=link_token)


def exchange_request(public_token: str) -> Any:
    return ItemPublicTokenExchangeRequest(public_token=public_token)


def accounts_request(access_token: str) -> Any:
    return AccountsGetRequest(access_token=access_token)


def balance_request(access_token: str, account_id: str) -> Any:
    options = AccountsBalanceGetRequestOptions(account_ids=[account_id])
    return AccountsBalanceGetRequest(access_token=access_token, options=options)


def identity_match_request(
    access_token: str,
    account_id: str,
    *,
    legal_name: str,
    phone: str,
    email: str,
    address: OwnerAddress | None,
) -> Any:
    """What is empty is left out, and scores null."""
    known = {"legal_name": legal_name, "phone_number": phone, "email_address": email}
    fields: dict[str, Any] = {name: value for name, value in known.items() if value}
    if address:
        fields["address"] = AddressDataNullableNoRequiredFields(
            street=address.street,
            city=address.city,
            region=address.region,
            postal_code=address.postal_code,
            country=address.country,
        )
    return IdentityMatchRequest(
        access_token=access_token,
        user=IdentityMatchUser(**fields),
        options=IdentityMatchRequestOptions(account_ids=[account_id]),
    )


def processor_token_request(access_token: str, account_id: str, processor: str) -> Any:
    return ProcessorTokenCreateRequest(access_token=access_token, account_id=account_id, processor=processor)


def item_request(access_token: str) -> Any:
    return ItemGetRequest(access_token=access_token)


def remove_request(access_token: str) -> Any:
    return ItemRemoveRequest(access_token=access_token)


def webhook_update_request(access_token: str, webhook: str) -> Any:
    return ItemWebhookUpdateRequest(access_token=access_token, webhook=webhook)


def webhook_key_request(kid: str) -> Any:
    return WebhookVerificationKeyGetRequest(key_id=kid)
