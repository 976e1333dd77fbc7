"""A customer whose identity the partner had checked elsewhere: that check is shared with the provider by a token.

The token goes with handing in (contract 4.2, `shareToken`), or by a call of its own when that import has to be repeated
(contract 4.1, row 8). Such tokens live for minutes, so none is kept: what waits for a person goes without, and
the import is asked for afterwards.
"""

import re
from uuid import UUID

from django.db import transaction

from onboarding.models import Application, ProviderAccount
from onboarding.operations import SHARED_IDENTITY
from onboarding.requirements import has_entity
from onboarding.services.shared import locked
from portal import audit, clock, outbox, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import OutboundCall, User

PERMISSION = "application.decide"
#: No longest is published; the stand-in takes as many.
LONGEST_TOKEN = 2000
LONGEST_REASON = 300
_OVER = (
    ProviderAccount.Status.ACTIVE,
    ProviderAccount.Status.SUSPENDED,
    ProviderAccount.Status.LIQUIDATE_ONLY,
    ProviderAccount.Status.CLOSED,
)
_TOKEN = re.compile(rf"[!-~]{{1,{LONGEST_TOKEN}}}")


def token_checked(application: Application, share_token: str) -> str:
    """The token without what was copied around it. Raises Invalid for what can't be one, or for a company or trust."""
    token = share_token.strip()
    problem = ""
    if has_entity(application.account_type):
        problem = "A company or trust has no shared identity check. Leave it out."
    elif not _TOKEN.fullmatch(token):
        problem = (
            f"Send the share token as you got it: up to {LONGEST_TOKEN} letters, digits and signs, no spaces."
        )
    if problem:
        raise Invalid("The share token cannot be used.", fields={"share_token": [problem]})
    return token


def imports_of(account: ProviderAccount) -> list[OutboundCall]:
    """The newest calls that asked for the import again, at most twenty, with who asked."""
    rows = OutboundCall.objects.filter(subject_id=account.pk, operation=SHARED_IDENTITY)
    return list(rows.select_related("actor").order_by("-created_at")[:20])


def why_not_import(application: Application) -> list[str]:
    """Every reason why the import cannot be asked for now; empty when it can."""
    if has_entity(application.account_type):
        return ["A company or trust has no shared identity check."]
    account: ProviderAccount | None = getattr(application, "account", None)
    if account is None or not account.provider_id:
        return ["The provider does not know the account yet. Ask once it does."]
    if account.status in _OVER:
        return ["The account was opened already. Its owner is known to the provider."]
    waiting = OutboundCall.objects.filter(subject_id=account.pk, operation=SHARED_IDENTITY)
    if waiting.exclude(status__in=OutboundCall.FINAL).exists():
        return ["An import is on its way. Wait until the provider answered."]
    return []


def shared_identity_import(
    *, actor: User, application_id: UUID, share_token: str, reason: str, source: str
) -> OutboundCall:
    """Staff ask the provider to import the shared check again.

    Raises Forbidden, NotFound, Conflict with the reasons why not, and Invalid for the token or a missing reason.
    """
    permissions.require(actor, PERMISSION)
    with transaction.atomic():
        application = Application.objects.select_for_update().filter(pk=application_id).first()
        if application is None:
            raise NotFound("There is no such application.")
        if not 5 <= len(reason.strip()) <= LONGEST_REASON:
            words = f"Say why, in 5 to {LONGEST_REASON} characters. It is kept."
            raise Invalid("Look at the marked answers.", fields={"reason": [words]})
        return _ask(application, share_token, actor=actor, reason=reason.strip(), source=source)


def shared_identity_import_own(
    *, actor: User, application_id: UUID, share_token: str, source: str
) -> Application:
    """The customer's app asks for it, with a fresh token. Raises as the staff's does, NotFound for another's."""
    with transaction.atomic():
        application = locked(actor, application_id)
        _ask(application, share_token, actor=actor, reason="", source=source)
    return application


def _ask(
    application: Application, share_token: str, *, actor: User, reason: str, source: str
) -> OutboundCall:
    account = ProviderAccount.objects.select_for_update().filter(application=application).first()
    reasons = why_not_import(application)
    if account is None or reasons:
        raise Conflict(" ".join(reasons))
    token = token_checked(application, share_token)
    audit.record("account.shared_identity", subject=application, actor=actor, reason=reason, source=source)
    account.rescreening_since = clock.now()
    account.save(update_fields=["rescreening_since"])
    body = {"account": account.client_account_id, "token": token}
    return outbox.enqueue(operation=SHARED_IDENTITY, subject=account, body=body, actor=actor)
