"""What the workers would do, called in the test's own thread, and the way of one application."""

from typing import Any

from django.db import transaction

from onboarding import completeness, document_checks, drafts, services
from onboarding.agreements import agreement_publish
from onboarding.models import Application
from onboarding.services.steps import step_kept
from portal import outbox
from portal.models import User
from providers import inbox
from tests.onboarding import answers


def drain(rounds: int = 10) -> None:
    """Perform every outbound call and process every webhook that is due, until nothing is."""
    for _ in range(rounds):
        checks, calls, events = document_checks.due_ids(), outbox.due_ids(), inbox.due_ids()
        if not checks and not calls and not events:
            return
        for document_id in checks:
            document_checks.check(document_id)
        for call_id in calls:
            outbox.perform(call_id)
        for event_id in events:
            inbox.process(event_id)


def publish_agreements() -> None:
    """Two agreements in force, once."""
    if not completeness.agreements_in_force():
        agreement_publish(
            name="crypto-user-agreement", version="1", title="User agreement", text="You agree."
        )
        agreement_publish(name="e-sign", version="1", title="Electronic consent", text="You consent.")


def complete_draft(
    user: User, *, given_name: str = "Ana", family_name: str = "Ortiz", **identity: Any
) -> Application:
    """A draft with every step filled in and every agreement accepted."""
    publish_agreements()
    application = services.application_start(actor=user, source="page")
    identity = {"given_name": given_name, "family_name": family_name, **answers.another(), **identity}
    # As step_save does, with one reading of the draft for all: a thousand tests begin here.
    draft = drafts.load(application)
    with transaction.atomic():
        for step, given in answers.STEPS.items():
            found = draft.step(step, None)
            assert found is not None
            asked, owner = found
            values = given | identity if step == "identity" else given
            step_kept(draft, owner, asked, values, actor=user, source="page", step_version=None)
    accepted = {row.pk: row.text_sha256 for row in completeness.agreements_in_force()}
    services.agreements_accept(actor=user, application_id=application.pk, accepted=accepted, source="page")
    return Application.objects.get(pk=application.pk)


def submitted(user: User, **identity: Any) -> Application:
    """An application handed in, its call not yet made."""
    draft = complete_draft(user, **identity)
    return services.application_submit(actor=user, application_id=draft.pk, source="page")
