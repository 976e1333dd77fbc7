"""Sealed fields: encrypted at rest, masked when printed, bound to their row."""

import base64
import os
import pickle
import re
from datetime import date

import pytest
from django.core.exceptions import FieldError
from django.db import connection

from onboarding.models import Application, Customer, Owner
from portal import sealed
from portal.models import User
from portal.sealed import CannotUnseal, Sealed

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(customer_user: User) -> Owner:
    customer = Customer.objects.create(user=customer_user)
    application = Application.objects.create(customer=customer)
    return Owner.objects.create(
        application=application, tax_id="536-22-1234", date_of_birth=date(1988, 4, 17)
    )


def stored(owner: Owner, column: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM onboarding_owner WHERE id = %s", [owner.pk])
        return bytes(cursor.fetchone()[0])


def test_value_is_encrypted_masked_and_revealed(owner: Owner) -> None:
    found = Owner.objects.get(pk=owner.pk)
    assert b"1234" not in stored(owner, "tax_id")
    assert isinstance(found.tax_id, Sealed)
    assert f"{found.tax_id} {found.tax_id!r} {found.date_of_birth}" == "•••-••-1234 <Sealed> ••••-••-••"
    assert found.tax_id.reveal() == "536-22-1234"
    assert found.tax_id.last4 == "1234"
    assert found.date_of_birth.reveal() == date(1988, 4, 17)
    assert not re.search("536-?22", repr(owner.__dict__) + repr(found.__dict__))


def test_ciphertext_of_another_row_does_not_open(owner: Owner) -> None:
    other = Owner.objects.create(application=owner.application, role="JOINT_OWNER", tax_id="900-70-0000")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE onboarding_owner SET tax_id = %s WHERE id = %s", [stored(owner, "tax_id"), other.pk]
        )
    with pytest.raises(CannotUnseal, match="does not belong"):
        Owner.objects.get(pk=other.pk).tax_id.reveal()


def test_blind_index_finds_equal_values_however_written(owner: Owner) -> None:
    field = Owner._meta.get_field("tax_id_index")
    assert Owner.objects.filter(tax_id_index=field.index_of("536221234")).get() == owner
    assert "53622" not in owner.tax_id_index


@pytest.mark.parametrize("lookup", ["tax_id", "tax_id__contains", "tax_id__in"])
def test_searching_a_sealed_field_is_refused(owner: Owner, lookup: str) -> None:
    with pytest.raises(FieldError, match="sealed"):
        list(Owner.objects.filter(**{lookup: "536-22-1234"}))


def test_queryset_update_of_a_sealed_field_is_refused(owner: Owner) -> None:
    with pytest.raises(FieldError, match="sealed"):
        Owner.objects.update(tax_id="536-22-1234")


def test_saving_one_field_keeps_the_others_and_none_clears(owner: Owner) -> None:
    found = Owner.objects.get(pk=owner.pk)
    found.given_name = "Ana"
    found.save()
    assert Owner.objects.get(pk=owner.pk).tax_id.reveal() == "536-22-1234"
    found.tax_id = None
    found.save(update_fields=["tax_id", "tax_id_index", "tax_id_last4"])
    again = Owner.objects.get(pk=owner.pk)
    assert again.tax_id is None
    assert again.tax_id_index == ""


def test_sealed_values_are_not_pickled(owner: Owner) -> None:
    with pytest.raises(TypeError, match="sealed"):
        pickle.dumps(owner.tax_id)


def test_an_old_key_opens_and_the_new_one_seals(owner: Owner, settings: object) -> None:
    before = stored(owner, "tax_id")
    fresh = base64.b64encode(os.urandom(32)).decode()
    settings.SEAL_KEYS = f"next:{fresh},{settings.SEAL_KEYS}"  # type: ignore[attr-defined]
    found = Owner.objects.get(pk=owner.pk)
    assert found.tax_id.reveal() == "536-22-1234"
    found.tax_id = found.tax_id
    found.save()
    assert stored(owner, "tax_id").startswith(sealed.header("next"))
    assert not before.startswith(sealed.header("next"))


def test_a_key_out_of_the_ring_is_named_and_the_value_is_not(owner: Owner, settings: object) -> None:
    settings.SEAL_KEYS = f"lost:{base64.b64encode(os.urandom(32)).decode()}"  # type: ignore[attr-defined]
    with pytest.raises(CannotUnseal, match="not in SEAL_KEYS") as caught:
        Owner.objects.get(pk=owner.pk).tax_id.reveal()
    assert "1234" not in str(caught.value)


@pytest.mark.parametrize(
    ("ring", "problem"),
    [
        ("", "no key"),
        ("a:xx", "base64"),
        (f"a:{base64.b64encode(b'short').decode()}", "5 bytes"),
        ("nocolon", "id:base64key|0 bytes"),
    ],
)
def test_a_bad_ring_says_what_is_wrong(ring: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        sealed.parse_ring(ring)
