"""What the tests of agreements share: versions, PDFs, applications at every stage."""

from io import BytesIO
from typing import Any

import pikepdf

from onboarding import services
from onboarding.agreements import acceptance, versions
from onboarding.agreements.scope import pending_for
from onboarding.models import Agreement, Application
from portal.models import User
from tests.flow import submitted

NAME = "crypto-user-agreement"


def draft_of(
    actor: User, version: str = "2", name: str = NAME, text: str = "# New\n\nYou agree again.", **content: Any
) -> Agreement:
    """A draft of the user agreement."""
    return versions.draft_start(
        actor=actor,
        name=name,
        version=version,
        content=versions.Content(**{"title": "User agreement", "text": text} | content),
        source="page",
    )


def publish(actor: User, agreement: Agreement) -> Agreement:
    """Put the draft in force as it is."""
    found = Agreement.objects.get(pk=agreement.pk)
    return versions.draft_publish(actor=actor, agreement_id=found.pk, revision=found.revision, source="page")


def new_version(actor: User, version: str = "2", **more: Any) -> Agreement:
    """A version of the user agreement in force."""
    return publish(actor, draft_of(actor, version, **more))


def approved(user: User, **identity: Any) -> Application:
    """An application whose account is open."""
    application = submitted(user, **identity)
    application.move_to(Application.Status.APPROVED, actor=None, source="test")
    application.account.move_to("active", actor=None, source="test")
    return Application.objects.get(pk=application.pk)


def accept_all(user: User) -> None:
    """Accept everything that waits."""
    accepted = {item.agreement.pk: item.agreement.text_sha256 for item in pending_for(user)}
    acceptance.agreements_accept_pending(actor=user, accepted=accepted, source="page")


def withdrawn(user: User) -> Application:
    """A draft that was given up."""
    application = services.application_start(actor=user, source="page")
    return services.application_withdraw(actor=user, application_id=application.pk, source="page")


def pdf(pages: int = 2, **saved: Any) -> bytes:
    """A PDF that is one."""
    with pikepdf.new() as document:
        for _ in range(pages):
            document.add_blank_page()
        out = BytesIO()
        document.save(out, **saved)
    return out.getvalue()


def pdf_with(root: dict[str, Any]) -> bytes:
    """A PDF with more in its catalogue."""
    with pikepdf.new() as document:
        document.add_blank_page()
        for name, value in root.items():
            document.Root[name] = value
        out = BytesIO()
        document.save(out)
    return out.getvalue()
