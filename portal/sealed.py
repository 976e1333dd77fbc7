"""Sealed fields: personal and bank data encrypted at rest, masked wherever they are printed.

The row's identity is authenticated with the value (`app.model.field:pk`), so a ciphertext moved to another
row or field does not open. Reading a field gives a `Sealed` (None where the column is NULL), which prints as
a mask; `.reveal()` is the one way to the value. Reasons: docs/decisions/0002-sealed-fields.md.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.constants import OnConflict
from django.db.models.expressions import Case
from django.db.models.functions import Cast
from django.db.models.query_utils import DeferredAttribute
from django.db.models.sql.subqueries import InsertQuery, UpdateQuery

from portal.keyring import (
    CannotUnseal,
    check_keys,
    current_key_id,
    header,
    key_id_of,
    parse_ring,
    seal,
    unseal,
)
from portal.sealed_value import MASKS, Codec, Sealed

__all__ = [
    "BlindIndexField",
    "CannotUnseal",
    "Sealed",
    "SealedDateField",
    "SealedField",
    "SealedJSONField",
    "SealedTextField",
    "blind_index",
    "check_keys",
    "current_key_id",
    "header",
    "key_id_of",
    "parse_ring",
    "seal",
    "unseal",
]

# --- The fields ---------------------------------------------------------------------------------------------


class _Stored(bytes):
    """Bytes that pre_save has sealed for the row being written; nothing else may reach the column."""


class _SealedAttribute(DeferredAttribute):
    """The attribute on the model: takes plain values, keeps and hands out Sealed."""

    field: "SealedField"

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is None or value is None:
            return value
        return value.at(self.field.home(instance))

    def __set__(self, instance: models.Model, value: Any) -> None:
        if hasattr(value, "resolve_expression"):
            raise FieldError(f"{self.field.name} is sealed and takes a value, not an expression")
        if isinstance(value, Sealed):
            # The row's key may be set after this field; another row's value is opened at once.
            value = value.at(self.field.home(instance)) if instance.pk is not None or value._home else value
        elif value is not None:
            value = Sealed(self.field.codec, plain=self.field.codec.encode(value))
        instance.__dict__[self.field.attname] = value


class SealedField(models.BinaryField):  # type: ignore[type-arg]
    """Base of the sealed fields. `mask` names how the value prints (MASKS).

    `sealed_as` keeps the old "app.model.field" of a renamed or moved field: it is part of what is sealed.
    """

    kind: ClassVar[str] = "text"
    default_mask: ClassVar[str] = "none"
    descriptor_class = _SealedAttribute

    def __init__(self, *args: Any, mask: str | None = None, sealed_as: str = "", **kwargs: Any) -> None:
        self.mask = mask or self.default_mask
        self.sealed_as = sealed_as
        if self.mask not in MASKS:
            raise ValueError(f"unknown mask {self.mask}")
        self.codec = Codec(self.kind, self.mask)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if self.mask != self.default_mask:
            kwargs["mask"] = self.mask
        if self.sealed_as:
            kwargs["sealed_as"] = self.sealed_as
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        problems = super().check(**kwargs)
        if self.unique or getattr(self, "db_index", False) or self.primary_key or self.editable:
            problems.append(
                Error(
                    "a sealed field cannot be unique, indexed, a key or editable in a ModelForm",
                    obj=self,
                    id="portal.E003",
                )
            )
        return problems

    def home(self, instance: models.Model) -> str:
        """What the ciphertext is bound to: the field and the row; "" while the row has no key."""
        label = self.sealed_as or f"{self.model._meta.label_lower}.{self.name}"
        return f"{label}:{instance.pk}" if instance.pk is not None else ""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(self.codec, token=bytes(value))

    def get_default(self) -> Any:
        if self.has_default():
            return models.Field.get_default(self)
        return "" if self.kind == "text" and not self.null else None

    def to_python(self, value: Any) -> Any:
        return value

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        value = getattr(model_instance, self.attname)
        if value is None:
            return None
        token = value.token()
        model_instance.__dict__[self.attname] = Sealed(
            self.codec, home=self.home(model_instance), token=token
        )
        return _Stored(token)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, _Stored):
            return value
        if isinstance(value, Sealed) and value._home:  # bulk_update reads attributes and calls no pre_save
            return _Stored(value.token())
        raise FieldError(
            f"{self.model._meta.label}.{self.name} is sealed: assign it on an instance and save that; "
            "to look a value up use its BlindIndexField."
        )

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return super().get_db_prep_value(self.get_prep_value(value), connection, prepared)

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> Any:
        """Called for every write of the column: refuses statements that would seal for a wrong row."""
        query = compiler.query
        if isinstance(query, UpdateQuery):
            self._refuse_update(query)
        elif (
            isinstance(query, InsertQuery)
            and getattr(query, "on_conflict", None) == OnConflict.UPDATE
            and self in getattr(query, "update_fields", ())
        ):
            raise FieldError(
                f"{self.name} is sealed for the new row's key; an upsert would put it into another's"
            )
        return super().get_placeholder(value, compiler, connection)  # type: ignore[misc]

    def _refuse_update(self, query: Any) -> None:
        written = {field.name: value for field, _, value in query.values}
        if not isinstance(written.get(self.name), _Stored | None | Case | Cast):
            raise FieldError(
                f"{self.model._meta.label}.{self.name} is sealed: update() has no single row to seal it for; "
                "assign it on an instance and save that."
            )
        for index in blind_indexes_of(self):
            if index.name not in written:
                raise FieldError(
                    f"{index.name} is the index of {self.name}: write both (name it in update_fields too)"
                )

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is sealed and cannot be searched; use its BlindIndexField.")
        return super().get_lookup(lookup_name)

    def value_from_object(self, obj: models.Model) -> Any:
        return getattr(obj, self.attname)

    def value_to_string(self, obj: models.Model) -> str:
        raise TypeError(f"{self.name} is sealed and is not serialised; leave {self.model._meta.label} out")


class SealedTextField(SealedField):
    """Text under seal."""


class SealedDateField(SealedField):
    """A date under seal. ISO strings may be assigned."""

    kind = "date"
    default_mask = "date"


class SealedJSONField(SealedField):
    """A JSON value under seal. reveal() parses anew each time: changing what it gave changes nothing here."""

    kind = "json"


# --- Blind index --------------------------------------------------------------------------------------------

Normaliser = Callable[[str], str]
NORMALISERS: dict[str, Normaliser] = {
    "digits": lambda text: re.sub(r"\D", "", text),
    "alphanumeric": lambda text: re.sub(r"[\W_]", "", text).upper(),
    "casefold": lambda text: " ".join(text.casefold().split()),
    "exact": lambda text: text,
    # The words before keep it apart from a whole value of four digits.
    "last_four": lambda text: "last four " + re.sub(r"[\W_]", "", text).upper()[-4:],
}


def blind_index(label: str, value: Any, normalise: str | Normaliser | None = None) -> str:
    """The keyed hash under which `value` of the sealed field `label` (app.model.field) is found, in hex.

    The normalisation is the one of the field's BlindIndexField; LookupError when it has none.
    """
    if normalise is None:
        model_label, _, name = label.rpartition(".")
        source = apps.get_model(model_label)._meta.get_field(name)
        indexes = [index for index in blind_indexes_of(source) if not index.beside]
        if not indexes:
            raise LookupError(f"{label} has no BlindIndexField")
        return indexes[0].index_of(value)
    text = f"{label.lower()}\x00{_normalised(value, normalise)}"
    return hmac.new(settings.BLIND_INDEX_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def _normalised(value: Any, normalise: str | Normaliser) -> str:
    normaliser = normalise if callable(normalise) else NORMALISERS[normalise]
    return normaliser(str(value))


def blind_indexes_of(source: Any) -> "list[BlindIndexField]":
    """The BlindIndexFields of the sealed field's model that index it."""
    return [
        field
        for field in source.model._meta.concrete_fields
        if isinstance(field, BlindIndexField) and source.name in field.sources
    ]


class _BlindIndexAttribute(DeferredAttribute):
    """Follows its sources while they are loaded, so that bulk_update writes the index of the present value."""

    field: "BlindIndexField"

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        if instance is None or any(name not in instance.__dict__ for name in self.field.sources):
            return super().__get__(instance, cls)
        sealed = [getattr(instance, name) for name in self.field.sources]
        return self.field.index_of(*(value.reveal() for value in sealed)) if all(sealed) else ""

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class BlindIndexField(models.CharField):  # type: ignore[type-arg]
    """Equality look-up of a sealed sibling field. Set on save; empty if the source is.

    `normalise` is a kind of NORMALISERS or a module-level function from text to text. `beside` is a second sealed
    field: then the two are looked up together alone.
    """

    descriptor_class = _BlindIndexAttribute

    def __init__(
        self,
        *args: Any,
        source: str,
        beside: str = "",
        normalise: str | Normaliser = "digits",
        **kwargs: Any,
    ) -> None:
        self.source = source
        self.beside = beside
        self.sources = (source, beside) if beside else (source,)
        self.normalise = normalise
        kwargs |= {"max_length": 64, "blank": True, "editable": False, "db_index": True, "default": ""}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("max_length", "blank", "editable", "db_index", "default"):
            kwargs.pop(fixed, None)
        if self.beside:
            kwargs["beside"] = self.beside
        return name, path, args, kwargs | {"source": self.source, "normalise": self.normalise}

    def index_of(self, *values: Any) -> str:
        """The index under which the value, or the two, are stored in this column; use it in filters."""
        if len(values) != len(self.sources):
            raise TypeError(f"{self.name} is the index of {' and '.join(self.sources)}")
        label = f"{self.model._meta.label_lower}.{'+'.join(self.sources)}"
        return blind_index(
            label, "\x00".join(_normalised(value, self.normalise) for value in values), "exact"
        )
