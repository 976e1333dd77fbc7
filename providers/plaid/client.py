"""Verbs of Plaid, one per call the portal makes. Contract plaid.md, sections 3 and 9."""

import threading
from types import ModuleType
from typing import Any

from providers.errors import ProviderError, Rejected
from providers.http import Transport
from providers.plaid.problems import NO_SUCH_PRODUCT
from providers.plaid.types import (
    Balance,
    BankAccount,
    Item,
    ItemHealth,
    LinkToken,
    OwnerAddress,
    OwnerMatch,
    PlaidCredentials,
)

#: The custodian's name among Plaid's processors.
PROCESSOR = "bakkt"


class PlaidClient:
    """Every method raises the errors of providers.errors; `problem_of` (problems.py) says what to do about one.

    Plaid knows no idempotency keys (contract, section 1): a repeated exchange is refused, a repeated processor token
    may be another one. `slow` carries the calls that wait for a bank.
    """

    def __init__(
        self,
        *,
        base_url: str,
        credentials: PlaidCredentials,
        client_name: str,
        transport: Transport,
        slow: Transport,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._credentials = credentials
        self._client_name = client_name
        self._transport, self._slow = transport, slow
        self._lock = threading.Lock()
        self._api: Any = None

    def link_token_create(
        self,
        *,
        user_ref: str,
        webhook: str,
        redirect_uri: str | None = None,
        hosted: bool = False,
        completion_redirect: str | None = None,
        access_token: str | None = None,
        account_selection: bool = False,
    ) -> LinkToken:
        """A token that opens Link; with `access_token` in update mode, where `account_selection` lets the
        customer change which accounts are shared.

        `user_ref` is our own id of the customer, nothing personal. `redirect_uri` has no query and stands in Plaid's
        Dashboard. `hosted` asks for a page of Plaid's, which leads to `completion_redirect` in the end.
        """
        official = self._official()
        request = official.link_token_request(
            client_name=self._client_name,
            user_ref=user_ref,
            webhook=webhook,
            redirect_uri=redirect_uri,
            hosted=hosted,
            completion_redirect=completion_redirect,
            access_token=access_token,
            account_selection=account_selection,
        )
        reply = self._ask("link_token_create", request)
        return LinkToken(reply.link_token, reply.expiration, reply.hosted_link_url)

    def link_results(self, link_token: str) -> list[str]:
        """The public tokens that Link brought so far; none while nobody finished. Kept for six hours by Plaid."""
        found: list[str] = self._ask("link_token_get", self._official().link_results_request(link_token))
        return found

    def exchange(self, public_token: str) -> Item:
        """The Item behind a public token, which works once. A second time raises Rejected INVALID_PUBLIC_TOKEN."""
        reply = self._ask("item_public_token_exchange", self._official().exchange_request(public_token))
        return Item(reply.item_id, reply.access_token)

    def accounts(self, access_token: str) -> list[BankAccount]:
        """All accounts of the Item, with balances as old as Plaid's copy. Check `offered` before one is used."""
        return list(self._ask("accounts_get", self._official().accounts_request(access_token)))

    def balance(self, access_token: str, account_id: str) -> Balance:
        """The balance asked of the bank now: may take half a minute, and is billed.

        Raises Rejected INVALID_ACCOUNT_ID when the Item has no such account any more.
        """
        reply = self._ask("accounts_balance_get", self._official().balance_request(access_token, account_id))
        found = next((account for account in reply if account.account_id == account_id), None)
        if found is None:
            raise Rejected("The bank knows no such account", code="INVALID_ACCOUNT_ID")
        return Balance(found.available, found.current)

    def identity_match(
        self,
        access_token: str,
        account_id: str,
        *,
        legal_name: str,
        phone: str = "",
        email: str = "",
        address: OwnerAddress | None = None,
    ) -> OwnerMatch:
        """How well the bank's owner of the account fits. `phone` is E.164; what is empty is not compared.

        Where the check is not to be had the answer says so and its verdict is `unknown`.
        """
        official = self._official()
        request = official.identity_match_request(
            access_token, account_id, legal_name=legal_name, phone=phone, email=email, address=address
        )
        try:
            found: dict[str, OwnerMatch] = self._ask("identity_match", request)
        except ProviderError as error:
            if error.code not in NO_SUCH_PRODUCT:
                raise
            return OwnerMatch(unavailable=error.code)
        return found.get(account_id, OwnerMatch(unavailable="INVALID_ACCOUNT_ID"))

    def processor_token(self, access_token: str, account_id: str) -> str:
        """A token by which the custodian reads the account's numbers; it ends with the Item alone.

        Plaid does not promise the same one twice: call once for an account.
        """
        official = self._official()
        request = official.processor_token_request(access_token, account_id, PROCESSOR)
        return str(self._ask("processor_token_create", request).processor_token)

    def item(self, access_token: str) -> ItemHealth:
        """Whether the Item works, and what is wrong with it. Raises NotFound when it is gone."""
        found: ItemHealth = self._ask("item_get", self._official().item_request(access_token))
        return found

    def remove(self, access_token: str) -> None:
        """End the Item: its access token and all its processor tokens. Unlink at the custodian first.

        Raises NotFound when it is gone already.
        """
        self._ask("item_remove", self._official().remove_request(access_token))

    def webhook_update(self, access_token: str, webhook: str) -> None:
        """Have the Item's webhooks sent to another address."""
        self._ask("item_webhook_update", self._official().webhook_update_request(access_token, webhook))

    def webhook_key(self, kid: str) -> dict[str, Any]:
        """The public key (JWK) of webhook signatures, with `expired_at` (epoch seconds or None).

        Raises Rejected for an id Plaid does not know.
        """
        key: dict[str, Any] = self._ask(
            "webhook_verification_key_get", self._official().webhook_key_request(kid)
        )
        return key

    def _official(self) -> ModuleType:
        from providers.plaid import official  # noqa: PLC0415  (half a second, for whoever calls Plaid alone)

        return official

    def _ask(self, method: str, request: Any) -> Any:
        """The official client's method; its answer is what the endpoint's reader made of it."""
        with self._lock:
            if self._api is None:
                self._api = self._official().api(
                    base_url=self._base_url,
                    credentials=self._credentials,
                    transport=self._transport,
                    slow=self._slow,
                )
        return getattr(self._api, method)(request, _preload_content=False)
