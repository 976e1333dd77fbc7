"""Changes to an open account: what may be changed, and the data sets of a change."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from onboarding import drafts, payloads
from onboarding.agreements import scope
from onboarding.drafts import Draft
from onboarding.models import AccountUpdate, Application, ApplicationStep, Owner, ProviderAccount
from onboarding.operations import COMPARE
from onboarding.requirements import Field, Step
from onboarding.requirements.updates import update_steps_of_account, update_steps_of_person
from portal import outbox
from portal.errors import NotFound
from portal.sealed import Sealed
from providers.bakkt.types import AccountRequest

Status = AccountUpdate.Status
#: Accounts whose details may be changed. Before, there is nothing to change; after, nobody to tell.
OPEN_ACCOUNT = (
    ProviderAccount.Status.UNDER_REVIEW,
    ProviderAccount.Status.DOCUMENTS_NEEDED,
    ProviderAccount.Status.ACTIVE,
    ProviderAccount.Status.SUSPENDED,
    ProviderAccount.Status.LIQUIDATE_ONLY,
)


@dataclass(frozen=True)
class Changeable:
    """A step that may be changed, whose it is, and what is kept of it."""

    step: Step
    owner: Owner | None
    kept: dict[str, Any]


def under_way(account: ProviderAccount) -> AccountUpdate | None:
    """The account's change that is not finished yet."""
    return AccountUpdate.objects.filter(account=account, status__in=AccountUpdate.UNDER_WAY).first()


def changeable(draft: Draft) -> list[Changeable]:
    """Every step of the account that may be changed, with what is kept of it."""
    application = draft.application
    found: list[Changeable] = []
    for owner in draft.owners:
        for step in update_steps_of_person(drafts.person_of(owner, application)):
            found.append(Changeable(step, owner, draft.answers(step, owner)))
    for step in update_steps_of_account(str(draft.applicant.country)):
        found.append(Changeable(step, None, draft.answers(step, None)))
    return found


def changeable_step(draft: Draft, name: str, owner_id: UUID | None) -> Changeable:
    """One of them; `owner_id` None is the account or the applicant. Raises NotFound."""
    for item in changeable(draft):
        whose = None if item.owner is None or item.owner.is_applicant else item.owner.pk
        if item.step.name == name and whose == owner_id:
            return item
    raise NotFound("There is nothing of that name that could be changed.")


def changed_fields(item: Changeable, cleaned: dict[str, Any]) -> list[Field]:
    """The questions whose answers differ from what is kept."""
    found = []
    for field in item.step.fields:
        kept = item.kept.get(field.name)
        before = kept.reveal() if isinstance(kept, Sealed) else kept
        if (cleaned.get(field.name) or None) != (before or None):
            found.append(field)
    return found


def changed_labels(item: Changeable, cleaned: dict[str, Any]) -> list[str]:
    """The labels of these questions."""
    fields = changed_fields(item, cleaned)
    return [f"{field.group}: {field.label.lower()}" if field.group else field.label for field in fields]


def updates_for(application: Application, viewer: Owner | None) -> QuerySet[AccountUpdate]:
    """The account's changes that this owner may know of: all, or those of their own part. None is staff."""
    rows = AccountUpdate.objects.filter(account__application=application)
    return rows.filter(of_owner=viewer) if viewer is not None and viewer.fills_in_themselves else rows


def is_private(update: AccountUpdate, viewer: Owner | None) -> bool:
    """Whether what it changes is another owner's own part."""
    return viewer is not None and update.of_owner_id is not None and update.of_owner_id != viewer.pk


def shown_labels(update: AccountUpdate, viewer: Owner | None) -> list[str]:
    """What it changes, or whose details where that is not for this viewer."""
    if is_private(update, viewer):
        assert update.of_owner is not None
        return [f"Details of {update.of_owner.full_name}"]
    return update.labels


def agreements_wait(application: Application) -> bool:
    """Whether an owner of the account has an agreement to accept before an update may go (seed 000)."""
    owners = Owner.objects.filter(application=application)
    return any(
        scope.yet_to_accept(row).filter(pk__in=owners.values("pk")).exists() for row in scope.in_force()
    )


def go_on(update: AccountUpdate, *, source: str) -> None:
    """Start a change that waits: read the provider's copy first. In the caller's transaction."""
    update.move_to(Status.CHECKING, actor=None, source=source)
    body = {"account": update.account.client_account_id}
    outbox.enqueue(operation=COMPARE, subject=update, body=body, actor=update.requested_by)


def held_updates_go_on(application: Application, *, source: str) -> None:
    """Called when an owner accepted agreements: what waited for the last of them goes by itself."""
    account = ProviderAccount.objects.filter(application=application).first()
    update = under_way(account) if account else None
    if update is not None and update.status == Status.WAITING and not agreements_wait(application):
        go_on(update, source=source)


def request_with(update: AccountUpdate) -> AccountRequest:
    """The complete data set with the changes in it; our rows are as before afterwards."""
    point = transaction.savepoint()
    try:
        apply_changes(update)
        return payloads.account_request(ProviderAccount.objects.get(pk=update.account_id))
    finally:
        transaction.savepoint_rollback(point)


def apply_changes(update: AccountUpdate) -> None:
    """Keep the changes in our rows, in the caller's transaction."""
    application = update.account.application
    for change in update.changes.reveal():
        draft = drafts.load(application)
        owner_id = UUID(change["owner"]) if change["owner"] else None
        whose = next((owner for owner in draft.owners if owner.pk == owner_id), None)
        item = changeable_step(
            draft, change["step"], None if whose is None or whose.is_applicant else whose.pk
        )
        drafts.keep(draft, item.owner, item.step, change["answers"])
        # A step that a migrating account lacked counts as answered from now on.
        ApplicationStep.objects.get_or_create(
            application=application,
            owner=item.owner,
            name=item.step.name,
            defaults={"saved_by": update.requested_by},
        )
