"""What the API takes and gives. Step fields come from the one description of requirements."""

from datetime import UTC
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers

from onboarding import availability, completeness, drafts, standing
from onboarding.api.variants import STEP_FIELDS
from onboarding.corrections import Correction, corrections_of
from onboarding.identity.standing import stand_of
from onboarding.models import Agreement, Application, Owner, ProviderAccount
from onboarding.requirements import Field, Kind, Step, StepName, roles_of
from onboarding.services.shared_identity import LONGEST_TOKEN
from onboarding.words import AccountType, EntityType, OwnerRole
from portal.models import User
from portal.sealed import Sealed


class Moment(serializers.DateTimeField):
    """A moment in UTC (RFC 3339), whatever time zone the pages show."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


def _either(values: frozenset[Any]) -> str:
    """Values of JSON as words: "EMPLOYED or SELF_EMPLOYED", "false"."""
    words = (str(value).lower() if isinstance(value, bool) else str(value) for value in values)
    return " or ".join(sorted(words))


def _api_field(field: Field) -> serializers.Field[Any, Any, Any, Any]:
    """The documented form of a question. The rule itself runs in the service, for page and API alike."""
    notes = " ".join(
        part
        for part in (
            field.hint,
            f"Asked only when {field.shown.field} is {_either(field.shown.values)}." if field.shown else "",
        )
        if part
    )
    common: dict[str, Any] = {
        "label": field.label,
        "help_text": notes,
        "required": field.required and field.shown is None,
    }
    if not common["required"]:
        common["allow_null"] = True
    # What was never answered comes back empty, and may be sent so.
    text = common | {"allow_blank": not common["required"]}
    match field.kind:
        case Kind.COUNTRIES:
            return serializers.ListField(child=serializers.CharField(max_length=100), **common)
        case Kind.CHOICE | Kind.STATE:
            return serializers.ChoiceField(choices=field.choices, **text)
        case Kind.DATE:
            return serializers.DateField(**common)
        case Kind.INTEGER:
            return serializers.IntegerField(min_value=field.minimum or 0, max_value=field.maximum, **common)
        case Kind.BOOLEAN:
            return serializers.BooleanField(**common)
        case Kind.EMAIL:
            return serializers.EmailField(max_length=field.max_length, **text)
        case _:
            return serializers.CharField(max_length=field.max_length, **text)


class StepSerializer(serializers.Serializer[Any]):
    """Base of the steps' bodies."""


class StepSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A step takes the fields it names and no others, and the document says so."""

    target_class = StepSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """The schema as drawn up from the fields, closed."""
        drawn: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return drawn | {"additionalProperties": False}


def step_serializer(name: StepName) -> type[StepSerializer]:
    """The serializer that documents a step's body."""
    title = "".join(part.capitalize() for part in name.value.split("_"))
    fields = {field.name: _api_field(field) for field in STEP_FIELDS[name]}
    return type(f"{title}Step", (StepSerializer,), fields | {"__doc__": f"The body of the step `{name}`."})


STEP_SERIALIZERS = {name: step_serializer(name) for name in STEP_FIELDS if name != StepName.AGREEMENTS}


class StartSerializer(serializers.Serializer[Any]):
    account_type = serializers.ChoiceField(choices=AccountType.choices, default=AccountType.INDIVIDUAL)
    entity_type = serializers.ChoiceField(
        choices=EntityType.choices,
        default="",
        allow_blank=True,
        help_text="Of an ENTITY account; else empty.",
    )
    country = serializers.CharField(
        default="US",
        max_length=3,
        help_text="ISO 3166 code of where the applicant lives, or where the entity is registered.",
    )


class PersonSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=OwnerRole.choices)
    country = serializers.CharField(max_length=3, help_text="ISO 3166 code of where the person lives.")
    given_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    family_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    is_control_person = serializers.BooleanField(
        required=False, help_text="Whether this person controls the company: exactly one does."
    )
    ownership_percent = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=100, help_text="Share of the company."
    )


class PersonChangeSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=OwnerRole.choices, required=False)
    country = serializers.CharField(max_length=3, required=False)
    is_control_person = serializers.BooleanField(required=False)
    ownership_percent = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=100)


class OwnerSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    role = serializers.CharField()
    country = serializers.CharField()
    is_applicant = serializers.BooleanField()
    given_name = serializers.CharField()
    family_name = serializers.CharField()
    is_control_person = serializers.BooleanField()
    ownership_percent = serializers.IntegerField(allow_null=True)
    fills_in_themselves = serializers.BooleanField(
        help_text="They took their part by an invitation: their steps show how far they are, without answers."
    )


class InviteSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(
        max_length=254, required=False, help_text="May be left out when the person's address is known."
    )


class InvitationTokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=200, help_text="The last part of the letter's link.")


class PartSerializer(serializers.Serializer[Any]):
    application = serializers.UUIDField(source="application_id")
    reference = serializers.CharField(source="application.reference")
    status = serializers.CharField(source="application.status")
    owner = serializers.UUIDField(source="id", help_text="Whose steps these are: the signed-in customer's.")
    role = serializers.CharField()


class RoleSerializer(serializers.Serializer[Any]):
    """How many people of a role the account takes."""

    role = serializers.CharField()
    least = serializers.IntegerField()
    most = serializers.IntegerField()


class AcceptanceSerializer(serializers.Serializer[Any]):
    agreement = serializers.UUIDField(help_text="Id of the agreement that was shown.")
    text_sha256 = serializers.RegexField(
        r"^[0-9a-f]{64}$", help_text="SHA-256 of the exact text that was shown."
    )


class AcceptancesSerializer(serializers.Serializer[Any]):
    accepted = AcceptanceSerializer(many=True)


class HandInSerializer(serializers.Serializer[Any]):
    share_token = serializers.CharField(
        required=False,
        max_length=LONGEST_TOKEN,
        help_text="Shares an identity check that you made elsewhere with the provider. Left out by everybody else.",
    )


class SharedIdentitySerializer(serializers.Serializer[Any]):
    share_token = serializers.CharField(max_length=LONGEST_TOKEN)


class AgreementSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.CharField()
    title = serializers.CharField()
    format = serializers.ChoiceField(
        choices=Agreement.Format.choices, help_text="pdf: the text is empty, and the document is to be shown."
    )
    text = serializers.CharField(help_text="Markdown (CommonMark with tables); HTML in it is text.")
    text_sha256 = serializers.CharField(help_text="Of the text in UTF-8, or of the PDF.")


class BallSerializer(serializers.Serializer[Any]):
    holder = serializers.ChoiceField(choices=["customer", "us", "provider", "nobody"])
    line = serializers.CharField()
    since = Moment()
    unblocks = serializers.CharField()
    due = Moment(allow_null=True)


class NextActionSerializer(serializers.Serializer[Any]):
    """What an app does next, so that it needs no copy of the state machine."""

    kind = serializers.CharField()
    title = serializers.CharField()
    body = serializers.CharField()
    expires_at = Moment(allow_null=True)
    poll_after = serializers.IntegerField(
        allow_null=True, help_text="Seconds until it is worth asking again."
    )
    blocking = serializers.BooleanField()


class StepStateSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    path = serializers.CharField(help_text="Where it is saved, below the application's address.")
    owner = serializers.UUIDField(allow_null=True, help_text="Whose step it is; null for the account's.")
    optional = serializers.BooleanField()
    title = serializers.CharField()
    done = serializers.BooleanField()
    version = serializers.IntegerField()
    problems = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    answers = serializers.DictField(help_text="What is kept; sensitive answers come masked.")
    entries = serializers.DictField(
        help_text="What was typed since and not saved; it counts nowhere. Sensitive entries come masked."
    )


class StopSerializer(serializers.Serializer[Any]):
    """Why something cannot be done, and what helps."""

    code = serializers.CharField(
        help_text="not_open, suspended, switched_off, sell_only, disabled, held or closed."
    )
    text = serializers.CharField()
    fix = serializers.CharField()


class UsesSerializer(serializers.Serializer[Any]):
    """What stops each use of the account now; an empty list: it can be done."""

    deposit = StopSerializer(many=True)
    withdraw = StopSerializer(many=True)
    buy = StopSerializer(many=True)
    sell = StopSerializer(many=True)


class AccountSerializer(serializers.Serializer[Any]):
    client_account_id = serializers.CharField()
    status = serializers.CharField()
    status_at = Moment()
    held_at = Moment(allow_null=True, help_text="Since when we hold its money ourselves; null: we do not.")
    stops = UsesSerializer()


class ApplicationSummarySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    account_type = serializers.CharField()
    status = serializers.CharField()
    status_at = Moment()
    created_at = Moment()
    submitted_at = Moment(allow_null=True)
    version = serializers.IntegerField()
    ball = BallSerializer()
    next_action = NextActionSerializer()
    account = AccountSerializer(allow_null=True)


class CorrectionSerializer(serializers.Serializer[Any]):
    """Something the provider refused, while the application waits to be corrected."""

    step = serializers.CharField(
        allow_null=True, help_text="Name of the step; null when it named none we know."
    )
    path = serializers.CharField(allow_null=True, help_text="Of the step, as in `steps`.")
    owner = serializers.UUIDField(allow_null=True, help_text="Whose step it is, as in `steps`.")
    field = serializers.CharField(
        allow_null=True, help_text="Name of the field; null for the step as a whole."
    )
    label = serializers.CharField(help_text="What to look at, in words.")  # type: ignore[assignment]
    detail = serializers.CharField(help_text="A sentence for the person.")
    code = serializers.CharField(help_text="The provider's code, for support.")


class ApplicationSerializer(ApplicationSummarySerializer):
    entity_type = serializers.CharField()
    roles = RoleSerializer(many=True)
    owners = OwnerSerializer(many=True)
    steps = StepStateSerializer(many=True)
    corrections = CorrectionSerializer(many=True)


class ApplicationListSerializer(serializers.Serializer[Any]):
    results = ApplicationSummarySerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="Cursor of the next page; send it as `cursor`.")


def summary(application: Application) -> dict[str, Any]:
    """An application as JSON, without its answers."""
    account = standing.account_of(application)
    told = standing.standing(application)
    check = stand_of(account)
    return dict(
        ApplicationSummarySerializer(
            {
                "id": application.pk,
                "reference": application.reference,
                "account_type": application.account_type,
                "status": application.status,
                "status_at": application.status_at,
                "created_at": application.created_at,
                "submitted_at": application.submitted_at,
                "version": application.version,
                "ball": standing.ball(application),
                "next_action": {
                    "kind": told.next_kind,
                    "title": told.next_title,
                    "body": " ".join(told.body),
                    "expires_at": check.expires_at if check and told.next_kind == "verify_identity" else None,
                    "poll_after": told.poll_after,
                    "blocking": told.blocking,
                },
                "account": _account(account),
            }
        ).data
    )


def _account(account: ProviderAccount | None) -> dict[str, Any] | None:
    """The account as its customer's app reads it."""
    if account is None:
        return None
    return {
        "client_account_id": account.client_account_id,
        "status": account.status,
        "status_at": account.status_at,
        "held_at": account.held_at,
        "stops": {use: availability.can(None, use, account) for use in availability.Use.values},
    }


def whole(application: Application, viewer: User) -> dict[str, Any]:
    """An application as JSON with its people, every step and what it lacks, as this customer may see it."""
    draft = drafts.load(application)
    part = draft.part_of(viewer)
    steps = [
        {
            "name": state.step.name,
            "path": _path(state.step, state.owner),
            "owner": state.owner.pk if state.owner else None,
            "optional": state.step.optional,
            "title": state.step.title,
            "done": state.done,
            "version": state.version,
            "problems": _problems(state, draft.shows_answers_of(state.owner, viewer)),
            "answers": {
                name: _shown(value)
                for name, value in draft.answers(state.step, state.owner).items()
                if draft.shows_answers_of(state.owner, viewer)
            },
            "entries": {
                name: _shown(value)
                for name, value in draft.typed_into(state.step, state.owner).items()
                if draft.shows_answers_of(state.owner, viewer)
            },
        }
        for state in completeness.states_of(draft)
        # Owners with a part of their own see that part; the applicant sees how far everybody is.
        if part.is_applicant or state.owner == part
    ]
    told = summary(application)
    if not part.is_applicant:
        # The identity check is the applicant's.
        told["next_action"] |= {"expires_at": None}
    return told | {
        "entity_type": application.entity_type,
        "roles": RoleSerializer(roles_of(application.account_type, application.entity_type), many=True).data,
        "owners": OwnerSerializer(
            [owner for owner in draft.owners if part.is_applicant or owner == part], many=True
        ).data,
        "steps": StepStateSerializer(steps, many=True).data,
        "corrections": CorrectionSerializer(
            [_correction(row) for row in corrections_of(draft) if draft.shows_answers_of(row.owner, viewer)],
            many=True,
        ).data,
    }


def _problems(state: completeness.StepState, is_shown: bool) -> dict[str, list[str]]:
    if is_shown or not state.problems:
        return state.problems
    return {"": [completeness.lacks_something(state)]}


def _correction(row: Correction) -> dict[str, Any]:
    return {
        "step": row.step.name if row.step else None,
        "path": _path(row.step, row.owner) if row.step else None,
        "owner": row.owner.pk if row.owner else None,
        "field": row.field.name if row.field else None,
        "label": row.label,
        "detail": row.detail,
        "code": row.code,
    }


def _path(step: Step, owner: Owner | None) -> str:
    """steps/identity, or owners/<id>/steps/identity for another person's."""
    if step.name == StepName.AGREEMENTS:
        return "agreements"
    path = f"steps/{step.name}"
    return path if owner is None or owner.is_applicant else f"owners/{owner.pk}/{path}"


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, Sealed) else value
