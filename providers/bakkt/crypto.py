"""Bakkt's account-opening API (`/apex-crypto/api/v2`). Contract bakkt-partner.md, section 4; seed 000."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

from providers.bakkt import assumptions
from providers.bakkt.documents import Document, DocumentMetadata
from providers.bakkt.problems import read_problem
from providers.bakkt.types import (
    Account,
    AccountOpeningStatus,
    AccountRequest,
    CryptoCredentials,
    Jurisdiction,
    SettlementChange,
    SettlementChangeRequest,
)
from providers.errors import Unreadable
from providers.http import Bearer, Call, Download, Token, TokenStore, Transport, Upload, word

T = TypeVar("T")
DOCUMENTS_PATH = "/apex-crypto/api/v2/documents"
#: No limit is published; ours for uploads is lower.
LARGEST_DOCUMENT_BYTES = 64 * 1024 * 1024


class CryptoClient:
    """Verbs of the account-opening API. Every method raises the errors of providers.errors.

    `base_url` is the client's own gateway; `token_prefix` stands before the token in the Authorization
    header.
    """

    def __init__(
        self,
        *,
        base_url: str,
        credentials: CryptoCredentials,
        transport: Transport,
        tokens: TokenStore,
        token_prefix: str = assumptions.CRYPTO_TOKEN_PREFIX,
    ) -> None:
        self._base_url = base_url
        self._credentials = credentials
        self._transport = transport
        name = f"bakkt-crypto {urlsplit(base_url).netloc} {credentials.logon_id}"
        self._bearer = Bearer(name=name, store=tokens, fetch=self.login, prefix=token_prefix)

    def login(self) -> Token:
        """Fetch a new token. The token store calls this; everyone else uses the shared token."""
        call = self._call(
            "bakkt.login",
            "POST",
            "/apex-crypto/api/v2/login",
            json={"logonId": self._credentials.logon_id, "password": self._credentials.password},
        )
        return self._transport.call(replace(call, bearer=None), _login_token)

    def gateway_status(self) -> str:
        """The gateway's own word about itself, `ok` when healthy. Needs no token."""
        call = self._call("bakkt.gateway_status", "GET", "/apex-crypto/api/status")
        return self._transport.call(replace(call, bearer=None, plain_words=True), word)

    def save_account(self, request: AccountRequest) -> Account:
        """Create the account, or update it with its complete data set.

        The answer acknowledges receipt only; the review's result arrives by webhook. Raises Rejected with
        the fields complained about (422: nothing was stored). Repeating the same body is taken to be
        harmless, since the call is keyed by the account id and there is no idempotency key (contract,
        section 4.3).
        """
        call = self._call("bakkt.save_account", "POST", assumptions.ACCOUNTS_PATH, json=request.to_wire())
        return self._transport.call(call, _account_of(request.client_account_id))

    def read_account(self, client_account_id: str) -> Account:
        """The complete account and the state of its request. Raises NotFound for an unknown id."""
        call = self._call(
            "bakkt.read_account",
            "GET",
            assumptions.ACCOUNTS_PATH + "/{clientAccountId}",
            path={"clientAccountId": client_account_id},
        )
        return self._transport.call(call, _account_of(client_account_id))

    def read_status(self, client_account_id: str) -> AccountOpeningStatus:
        """Whether the account may trade and transfer. True is not enough: restrictions arrive by webhook."""
        call = self._call(
            "bakkt.read_status",
            "GET",
            assumptions.ACCOUNTS_PATH + "/{clientAccountId}/status",
            path={"clientAccountId": client_account_id},
        )
        return self._transport.call(call, AccountOpeningStatus.from_wire)

    def trigger_kyb(self, client_account_id: str) -> str:
        """Start the screening of an entity, after all its documents were uploaded. Returns the provider's
        word."""
        call = self._call(
            "bakkt.trigger_kyb",
            "POST",
            assumptions.ACCOUNTS_PATH + "/triggerKYBScreening/{clientAccountId}",
            path={"clientAccountId": client_account_id},
        )
        return self._transport.call(replace(call, plain_words=True), word)

    def recover_kyc_transfer(self, client_account_id: str, share_token: str) -> str:
        """Repeat the import of a shared KYC result. Returns the provider's word."""
        call = self._call(
            "bakkt.recover_kyc_transfer",
            "POST",
            assumptions.ACCOUNTS_PATH + "/kycTransferRecovery/{clientAccountId}",
            path={"clientAccountId": client_account_id},
            json={"shareToken": share_token},
        )
        return self._transport.call(replace(call, plain_words=True), word)

    def update_settlement(self, client_account_id: str, settlement_method: str) -> SettlementChange:
        """Change how trades settle. Look at the answer's `complete`: a 200 can carry FAILED."""
        call = self._call(
            "bakkt.update_settlement",
            "POST",
            assumptions.ACCOUNTS_PATH + "/settlementMethod/update",
            json=SettlementChangeRequest(client_account_id, settlement_method).to_wire(),
        )
        return self._transport.call(call, _settlement_of(client_account_id))

    def upload_document(self, metadata: DocumentMetadata, file: BinaryIO, media_type: str) -> Document:
        """Upload one paper, read from its start piece by piece. `file` is seekable.

        Raises Rejected for a 404 too: so this call refuses its input (contract 4.5). What a repeat with the
        same clientDocumentId does is unpublished: after an unknown outcome look with read_document first.
        """
        texts = {"metadata": json.dumps(metadata.to_wire(), separators=(",", ":"))}
        call = self._call(
            "bakkt.upload_document",
            "POST",
            DOCUMENTS_PATH,
            upload=Upload("document", media_type, file, texts),
            missing_rejects=True,
        )
        return self._transport.call(call, Document.from_wire)

    def download_document(self, client_document_id: str, into: BinaryIO) -> str:
        """Write the file into `into`, over what it held; returns its media type. Raises NotFound."""
        call = self._call(
            "bakkt.download_document",
            "GET",
            DOCUMENTS_PATH + "/{clientDocumentId}",
            path={"clientDocumentId": client_document_id},
            download=Download(into, LARGEST_DOCUMENT_BYTES),
        )
        return self._transport.call(call, str)

    def read_document(self, client_document_id: str) -> Document:
        """One paper's metadata. Raises NotFound for an unknown id."""
        call = self._call(
            "bakkt.read_document",
            "GET",
            DOCUMENTS_PATH + "/{clientDocumentId}/metadata",
            path={"clientDocumentId": client_document_id},
        )
        return self._transport.call(call, Document.from_wire)

    def account_documents(self, client_account_id: str) -> tuple[DocumentMetadata, ...]:
        """The metadata of all papers of the account, replaced ones included."""
        call = self._call(
            "bakkt.account_documents",
            "GET",
            DOCUMENTS_PATH + "/{clientAccountId}/accountDocumentMetadata",
            path={"clientAccountId": client_account_id},
        )
        return self._transport.call(call, _documents)

    def jurisdictions(
        self, *, country: str = "", state: str = "", trading_pair: str = ""
    ) -> tuple[Jurisdiction, ...]:
        """Where trading is restricted. Of several filters the pair wins, then the state, then the country
        (alpha-3)."""
        asked = {"country": country, "state": state, "tradingPair": trading_pair}
        call = self._call(
            "bakkt.jurisdictions",
            "GET",
            "/apex-crypto/api/v2/jurisdictions/all",
            query={name: value for name, value in asked.items() if value},
        )
        return self._transport.call(call, _jurisdictions)

    def _call(self, operation: str, method: str, template: str, **more: Any) -> Call:
        return Call(
            operation=operation,
            method=method,
            base_url=self._base_url,
            template=template,
            bearer=self._bearer,
            read_problem=read_problem,
            **more,
        )


def _login_token(body: Any) -> Token:
    if not isinstance(body, dict) or not isinstance(body.get("token"), str):
        raise Unreadable("the log-in reply holds no token")
    lifetime = assumptions.CRYPTO_TOKEN_LIFETIME_SECONDS
    return Token(body["token"], datetime.now(UTC) + timedelta(seconds=lifetime) if lifetime else None)


def _account_of(client_account_id: str) -> Callable[[Any], Account]:
    def read(body: Any) -> Account:
        account = Account.from_wire(body)
        if account.request is not None and account.request.client_account_id != client_account_id:
            raise Unreadable("the reply is about another account")
        return account

    return read


def _settlement_of(client_account_id: str) -> Callable[[Any], SettlementChange]:
    def read(body: Any) -> SettlementChange:
        change = SettlementChange.from_wire(body)
        if change.request is not None and change.request.account_id != client_account_id:
            raise Unreadable("the reply is about another account")
        return change

    return read


def _documents(body: Any) -> tuple[DocumentMetadata, ...]:
    listed = body.get("documentMetadata") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise Unreadable("the reply holds no documents")
    return tuple(DocumentMetadata.from_wire(item) for item in listed)


def _jurisdictions(body: Any) -> tuple[Jurisdiction, ...]:
    listed = body.get("jurisdictions") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise Unreadable("the reply holds no jurisdictions")
    return tuple(Jurisdiction.from_wire(item) for item in listed)
