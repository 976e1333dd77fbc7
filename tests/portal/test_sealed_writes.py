"""Every way of writing a sealed field either seals it for its own row or says why not."""

import copy
import json
import pickle
from datetime import date

import pytest
from django.core.exceptions import FieldError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import F, Value
from django.forms.models import model_to_dict
from django.template import Context, Template

from onboarding.models import Application, Customer, Owner
from portal import ids
from portal.models import MailMessage, User
from portal.sealed import (
    BlindIndexField,
    CannotUnseal,
    Sealed,
    SealedDateField,
    SealedTextField,
    blind_index,
)
from portal.sealed_value import Codec
from providers.models import InboundEvent

pytestmark = pytest.mark.django_db

TAX_ID = "536-22-1234"
OTHER = "900-70-5678"


@pytest.fixture
def application(customer_user: User) -> Application:
    return Application.objects.create(customer=Customer.objects.create(user=customer_user))


@pytest.fixture
def owner(application: Application) -> Owner:
    return Owner.objects.create(application=application, tax_id=TAX_ID, date_of_birth=date(1988, 4, 17))


def again(owner: Owner) -> Owner:
    return Owner.objects.get(pk=owner.pk)


def joint(application: Application, **values: object) -> Owner:
    return Owner(application=application, role="JOINT_OWNER", **values)


def test_bulk_create_seals_each_row_for_itself(application: Application) -> None:
    rows = Owner.objects.bulk_create(
        [joint(application, tax_id=OTHER), Owner(application=application, tax_id=TAX_ID)]
    )
    assert [again(row).tax_id.reveal() for row in rows] == [OTHER, TAX_ID]
    assert again(rows[0]).tax_id_index == blind_index("onboarding.Owner.tax_id", "900705678")


def test_bulk_update_seals_each_row_for_itself(application: Application, owner: Owner) -> None:
    second = joint(application, tax_id=OTHER)
    second.save()
    owner.tax_id, second.tax_id = second.tax_id, "111-22-3333"
    Owner.objects.bulk_update([owner, second], ["tax_id", "tax_id_index", "tax_id_last4"])
    assert [again(row).tax_id.reveal() for row in (owner, second)] == [OTHER, "111-22-3333"]
    assert again(owner).tax_id_index == blind_index("onboarding.owner.tax_id", OTHER)


def test_an_upsert_of_a_sealed_field_is_refused(application: Application, owner: Owner) -> None:
    with pytest.raises(FieldError, match="upsert"):
        Owner.objects.bulk_create(
            [Owner(pk=owner.pk, application=application, tax_id=OTHER)],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["tax_id", "tax_id_index", "tax_id_last4"],
        )


@pytest.mark.parametrize("value", [OTHER, b"\x01", F("tax_id"), Value(b"x")])
def test_update_statements_are_refused(owner: Owner, value: object) -> None:
    with pytest.raises(FieldError, match="sealed"), transaction.atomic():
        Owner.objects.update(tax_id=value, tax_id_index="")
    assert again(owner).tax_id.reveal() == TAX_ID


def test_update_with_the_sealed_value_of_an_instance_is_refused(owner: Owner) -> None:
    with pytest.raises(FieldError, match="sealed"):
        Owner.objects.update(tax_id=owner.tax_id, tax_id_index="")


def test_update_to_null_clears(owner: Owner) -> None:
    Owner.objects.filter(pk=owner.pk).update(tax_id=None, tax_id_index="", tax_id_last4="")
    assert again(owner).tax_id is None
    assert list(Owner.objects.filter(tax_id__isnull=True)) == [owner]


def test_saving_the_value_without_its_index_is_refused(owner: Owner) -> None:
    owner.tax_id = OTHER
    with pytest.raises(FieldError, match="tax_id_index is the index of tax_id"):
        owner.save(update_fields=["tax_id"])


def test_a_row_copied_under_a_new_key_can_be_read(application: Application, owner: Owner) -> None:
    found = again(owner)
    found.pk, found.role, found._state.adding = ids.new_id(), "JOINT_OWNER", True
    found.save()
    assert again(found).tax_id.reveal() == TAX_ID
    assert again(owner).tax_id.reveal() == TAX_ID


def test_a_value_of_another_row_is_opened_and_sealed_anew(application: Application, owner: Owner) -> None:
    second = joint(application, tax_id=again(owner).tax_id)
    second.save()
    assert again(second).tax_id == again(owner).tax_id
    assert again(second).tax_id.reveal() == TAX_ID


def test_values_give_a_mask_that_cannot_be_opened_or_saved(application: Application, owner: Owner) -> None:
    value = Owner.objects.values_list("tax_id", flat=True).get()
    assert isinstance(value, Sealed)
    assert str(value) == "•••-••-••••"
    with pytest.raises(CannotUnseal, match="read the instance"):
        value.reveal()
    with pytest.raises(CannotUnseal):
        joint(application, tax_id=value).save()


def test_deferred_and_refreshed_fields(owner: Owner) -> None:
    found = Owner.objects.defer("tax_id", "tax_id_index").get(pk=owner.pk)
    assert "tax_id" in found.get_deferred_fields()
    assert found.tax_id_index == owner.tax_id_index
    assert found.tax_id.reveal() == TAX_ID
    owner.tax_id = OTHER
    owner.save()
    found.refresh_from_db()
    assert found.tax_id.last4 == "5678"
    assert Owner.objects.only("tax_id").get(pk=owner.pk).tax_id.reveal() == OTHER


def test_a_saved_and_unchanged_value_keeps_its_bytes(owner: Owner) -> None:
    def stored() -> bytes:
        with connection.cursor() as cursor:
            cursor.execute("SELECT tax_id FROM onboarding_owner WHERE id = %s", [owner.pk])
            return bytes(cursor.fetchone()[0])

    before = stored()
    again(owner).save()
    assert stored() == before


def test_what_cannot_be_read_is_not_overwritten_unread(owner: Owner) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE onboarding_owner SET tax_id = %s WHERE id = %s", [b"\x01\x01x", owner.pk])
    found = again(owner)
    assert str(found.tax_id) == "•••-••-••••"
    with pytest.raises(CannotUnseal):
        found.save()


def test_nothing_serialises_it_by_accident(owner: Owner) -> None:
    for value in (owner.tax_id, again(owner).tax_id):
        with pytest.raises(TypeError):
            json.dumps({"tax_id": value}, cls=DjangoJSONEncoder)
        with pytest.raises(TypeError):
            pickle.dumps(value)
        assert copy.deepcopy(value) == value
    owner.tax_id = OTHER
    with pytest.raises(TypeError):
        pickle.dumps(owner)
    assert "tax_id" not in model_to_dict(owner)
    assert OTHER not in f"{vars(owner)} {owner.tax_id:>20} {[owner.tax_id]}"


def test_a_template_cannot_reveal(owner: Owner) -> None:
    page = Template("{{ o.tax_id }}|{{ o.tax_id.reveal }}|{{ o.tax_id.last4 }}").render(Context({"o": owner}))
    assert page == "•••-••-1234||1234"


@pytest.mark.parametrize("mask", ["•••-••-1234", "••••1234"])
def test_a_mask_is_not_taken_for_a_value(owner: Owner, mask: str) -> None:
    with pytest.raises(ValueError, match="mask"):
        owner.tax_id = mask


def test_a_body_may_hold_any_text() -> None:
    body = "•••• \u202e ✓ 𝄞"
    assert InboundEvent(provider="bakkt", body=body).body.reveal() == body


@pytest.mark.parametrize("wrong", [123456789, b"123", date(2000, 1, 1)])
def test_a_text_takes_text_only(owner: Owner, wrong: object) -> None:
    with pytest.raises(TypeError, match="takes a str"):
        owner.tax_id = wrong


def test_dates_come_as_dates_or_iso_text(owner: Owner) -> None:
    owner.date_of_birth = "1990-02-28"
    assert owner.date_of_birth.reveal() == date(1990, 2, 28)
    with pytest.raises(ValueError, match="Invalid isoformat"):
        owner.date_of_birth = "28/02/1990"


def test_json_is_compared_by_value_and_given_out_as_a_copy() -> None:
    first = MailMessage(content={"a": 1, "b": [2]})
    assert first.content == MailMessage(content={"b": [2], "a": 1}).content
    first.content.reveal()["a"] = 9
    assert first.content.reveal() == {"a": 1, "b": [2]}
    assert not MailMessage(content={}).content


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        ("tax_id", "536-22-1234", "•••-••-1234"),
        ("tax_id", "1234", "•••-••-••••"),
        ("last4", "000123456789", "••••6789"),
        ("last4", "12345", "••••"),
        ("phone", "+12025550123", "••••0123"),
        ("email", "ana.silva@example.com", "a•••@example.com"),
        ("email", "nothing", "••••"),
        ("none", "anything at all", "••••"),
    ],
)
def test_masks(mask: str, value: str, shown: str) -> None:
    assert str(Sealed(Codec("text", mask), plain=value.encode())) == shown


def test_emptiness_is_told_without_the_key(owner: Owner, settings: object) -> None:
    found = again(owner)
    settings.SEAL_KEYS = "x:" + "A" * 43 + "="  # type: ignore[attr-defined]
    assert found.tax_id


def reversed_text(text: str) -> str:
    return text[::-1]


def test_fields_are_rebuilt_from_migrations() -> None:
    for field in (
        SealedTextField(mask="last4", null=True, sealed_as="a.B.c"),
        SealedDateField(),
        BlindIndexField(source="x", normalise=reversed_text),
        BlindIndexField(source="x", beside="y"),
    ):
        _, _, args, kwargs = field.deconstruct()
        assert type(field)(*args, **kwargs).deconstruct()[2:] == (args, kwargs)
    assert BlindIndexField(source="x", beside="y").deconstruct()[3]["beside"] == "y"
    with pytest.raises(ValueError, match="unknown mask"):
        SealedTextField(mask="nothing")


def test_a_sealed_field_may_not_be_unique() -> None:
    field = SealedTextField(unique=True)
    field.set_attributes_from_name("x")
    field.model = Owner
    assert "portal.E003" in {problem.id for problem in field.check()}


def test_indexes_of_different_fields_and_keys_differ(settings: object) -> None:
    one = blind_index("a.b.c", "5", "exact")
    assert one != blind_index("a.b.d", "5", "exact")
    assert blind_index("a.b.c", " Ana  MARIA ", "casefold") == blind_index("a.b.c", "ana maria", "casefold")
    settings.BLIND_INDEX_KEY = "k" * 32  # type: ignore[attr-defined]
    assert one != blind_index("a.b.c", "5", "exact")
    with pytest.raises(LookupError, match="no BlindIndexField"):
        blind_index("onboarding.owner.date_of_birth", "2000-01-01")
