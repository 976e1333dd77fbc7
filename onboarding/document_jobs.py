"""What runs in the background of papers: passing each one on, and beginning the screening when all are there."""

from datetime import UTC, datetime, time
from typing import Any, BinaryIO, cast
from uuid import UUID

from django_countries import countries

from onboarding import document_requests
from onboarding.jobs import lock_account
from onboarding.models import Document, DocumentCopy, ProviderAccount
from onboarding.operations import PARTY_STATUS
from onboarding.papers import papers_go_on
from portal import outbox
from portal.models import OutboundCall
from providers import expected
from providers.bakkt.crypto import CryptoClient
from providers.bakkt.documents import Document as DocumentAnswer
from providers.bakkt.documents import DocumentMetadata
from providers.clients import bakkt_crypto
from providers.errors import NotFound, Rejected
from providers.outcomes import as_outcome

Status = Document.Status


def metadata_of(document: Document) -> DocumentMetadata:
    """What goes to the provider with the file (contract 4.5)."""
    account = ProviderAccount.objects.get(application=document.application_id)
    last = document.expires_on
    return DocumentMetadata(
        client_document_id=str(document.pk),
        account=account.client_account_id,
        document_type=document.type,
        document_side=document.side,
        issue_country=countries.alpha3(document.country.code),
        client_owner_id=str(document.owner_id) if document.owner_id else None,
        description=document.description or None,
        document_expiration=datetime.combine(last, time(23, 59, 59), UTC) if last else None,
    )


class DocumentUpload:
    """The outbox handler of bakkt.document.upload. Its key is the clientDocumentId, the document's own id."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Send the file piece by piece. Whether it is there already is read first, before any repeat.

        What the provider does with a repeated clientDocumentId is unpublished (contract, question 25).
        """
        document = Document.objects.get(pk=UUID(call.body.reveal()["document"]))
        repeated = call.attempts > 1
        return as_outcome(lambda: _uploaded(bakkt_crypto(), document, repeated=repeated), _kept, call=call)

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """At the provider, or refused with its words; then whatever the papers are complete for."""
        application_id = Document.objects.values_list("application_id", flat=True).get(pk=call.subject_id)
        account_id = ProviderAccount.objects.values_list("pk", flat=True).get(application=application_id)
        account = lock_account(account_id)
        document = Document.objects.select_for_update(of=("self",)).get(pk=call.subject_id)
        if isinstance(outcome, outbox.Succeeded):
            document.provider_id = outcome.answer["id"]
            document.save(update_fields=["provider_id"])
        else:
            document.problem = outcome.problem[:300]
            document.save(update_fields=["problem"])
        # One that was replaced while it was on its way stays replaced.
        if document.status == Status.SENDING:
            taken = isinstance(outcome, outbox.Succeeded)
            document.move_to(Status.AT_PROVIDER if taken else Status.REFUSED, actor=None, source="provider")
        papers_go_on(account, actor=call.actor)
        document_requests.follow(account.application, actor=None, source="provider")

    def gave_up(self, call: OutboundCall) -> None:
        """The document stays on its way: a case asks a person (onboarding/given_up.py)."""


def _uploaded(client: CryptoClient, document: Document, *, repeated: bool) -> DocumentAnswer:
    found = _look(client, document) if repeated else None
    if found is not None:
        return found
    # Of what the provider does not take as it came, the picture that was made of it (portal/untrusted.py).
    sent = document.copies.get(kind=DocumentCopy.Kind.PROVIDER) if document.is_sent_as_copy else document
    with sent.open() as file:
        try:
            return client.upload_document(metadata_of(document), cast(BinaryIO, file), sent.content_type)
        except Rejected:
            # A first attempt that arrived later than our look may be why; then the paper is there.
            found = _look(client, document)
            if found is None:
                raise
            return found


def _look(client: CryptoClient, document: Document) -> DocumentAnswer | None:
    try:
        return client.read_document(str(document.pk))
    except NotFound:
        return None


def _kept(answer: DocumentAnswer) -> dict[str, Any]:
    return {"id": answer.id}


class KybTrigger:
    """The outbox handler of bakkt.account.kyb_trigger. Asking twice is taken to be harmless (contract 4.1)."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Ask the provider to begin."""
        account = call.body.reveal()["account"]
        return as_outcome(
            lambda: bakkt_crypto().trigger_kyb(account), lambda word: {"said": word[:60]}, call=call
        )

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """Begun; or refused, which a person of ours has to look at."""
        if isinstance(outcome, outbox.Succeeded):
            return
        account = lock_account(call.subject_id)
        account.kyb_problem = outcome.problem[:300] or "refused"
        account.save(update_fields=["kyb_problem"])
        expected.met(account, PARTY_STATUS)

    def gave_up(self, call: OutboundCall) -> None:
        """Nothing changes here: a case asks a person."""
