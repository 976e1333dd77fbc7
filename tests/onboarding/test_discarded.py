"""The file of a person who was taken out of a draft goes with them."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import transaction

from onboarding import discarded, services
from onboarding.models import DiscardedFile, Document, Owner
from onboarding.requirements.people import Person, steps_of_person
from portal.document_storage import STORAGE
from portal.models import User
from tests.flow import publish_agreements
from tests.onboarding import journeys
from tests.onboarding.papers_support import VALID_UNTIL, upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _ready(settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    stored = {**settings.STORAGES["documents"]["OPTIONS"], "location": str(tmp_path)}
    settings.STORAGES = {
        **settings.STORAGES,
        "documents": {**settings.STORAGES["documents"], "OPTIONS": stored},
    }


def with_paper(user: User) -> Document:
    """A company's draft, and the passport of its second owner."""
    application = journeys.entity(user)
    owner = Owner.objects.get(application=application, is_applicant=False)
    return upload(user, application, type="PASSPORT", owner_id=owner.pk, expires_on=VALID_UNTIL)


def remove(user: User, document: Document) -> None:
    services.owner_remove(
        actor=user, application_id=document.application_id, owner_id=document.owner_id, source="page"
    )


def test_removing_a_person_removes_their_file(customer_user: User) -> None:
    document = with_paper(customer_user)
    assert storages[STORAGE].exists(document.path)
    remove(customer_user, document)
    assert not storages[STORAGE].exists(document.path)
    assert not DiscardedFile.objects.exists()


def test_nothing_goes_when_the_removal_is_undone(customer_user: User) -> None:
    document = with_paper(customer_user)
    with pytest.raises(RuntimeError), transaction.atomic():
        remove(customer_user, document)
        raise RuntimeError
    assert storages[STORAGE].exists(document.path)
    assert not DiscardedFile.objects.exists()


def test_a_crash_after_the_commit_is_made_up_for(
    customer_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = with_paper(customer_user)

    def away(*_: Any) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(type(storages[STORAGE]), "delete", away)
        remove(customer_user, document)
    assert storages[STORAGE].exists(document.path)
    assert DiscardedFile.objects.count() == 1
    assert discarded.sweep() == 1
    assert discarded.sweep() == 0
    assert not storages[STORAGE].exists(document.path)


def test_a_child_is_not_asked_whether_it_is_married() -> None:
    def asked(account_type: str, role: str) -> set[str]:
        [step, *_] = steps_of_person(Person(account_type, "", role, "US", is_applicant=False))
        return {field.name for field in step.fields}

    assert "marital_status" not in asked("CUSTODIAL", "MINOR_OWNER")
    assert "date_of_birth" in asked("CUSTODIAL", "MINOR_OWNER")
    assert "marital_status" in asked("CUSTODIAL", "CUSTODIAN")
