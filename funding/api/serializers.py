"""What the API of money takes and gives."""

from typing import Any

from rest_framework import serializers

from funding import balances, standing
from funding.forms import account_number, routing_number, swift_code
from funding.models import NoticeKind, Transfer, WireRecipient
from funding.terms import Terms
from onboarding.api.serializers import BallSerializer, Moment
from portal import clock
from portal.api.schema import ReasonSerializer
from portal.money import Money, MoneyError

#: The rails that can be asked for.
RAILS = [("ach", "ACH"), ("wire", "Wire")]


class MoneySerializer(serializers.Serializer[Any]):
    """An amount: a decimal text, never a number, and its currency."""

    amount = serializers.RegexField(
        r"^-?[0-9]{1,16}(\.[0-9]{1,2})?$", help_text='Such as "100.50".', max_length=20
    )
    currency = serializers.ChoiceField(choices=[balances.CURRENCY])


class PositiveMoneySerializer(serializers.Serializer[Any]):
    """An amount to move: a decimal text above zero, and its currency."""

    amount = serializers.RegexField(
        r"^[0-9]{1,13}(\.[0-9]{1,2})?$", help_text='Such as "100.50".', max_length=16
    )
    currency = serializers.ChoiceField(choices=[balances.CURRENCY])

    def to_internal_value(self, data: Any) -> Money:
        """The amount as Money. A number is refused: what reads it may have rounded it."""
        if isinstance(data, dict) and not isinstance(data.get("amount", ""), str):
            raise serializers.ValidationError({"amount": ['Write the amount as text, such as "100.50".']})
        read = super().to_internal_value(data)
        try:
            amount = Money.parse(read["amount"], read["currency"])
        except MoneyError as error:
            raise serializers.ValidationError({"amount": [str(error)]}) from None
        if amount.minor <= 0:
            raise serializers.ValidationError({"amount": ["Enter an amount above zero."]})
        return amount


def money(amount: Money | None) -> dict[str, str] | None:
    """An amount as JSON carries it."""
    return None if amount is None else {"amount": amount.as_decimal_string(), "currency": amount.currency}


class BalanceSerializer(serializers.Serializer[Any]):
    """What the provider said last, and when; what may leave; the release plan."""

    settled = MoneySerializer(allow_null=True, help_text="At the provider, usable. Null: never read.")
    unsettled = MoneySerializer(allow_null=True, help_text="On its way at the provider's bank.")
    read_at = Moment(allow_null=True)
    fresh = serializers.BooleanField(help_text="Read within the last minute; false: show the time.")
    incoming = MoneySerializer(help_text="By our books: on its way in.")
    outgoing = MoneySerializer(help_text="By our books: set aside for withdrawals.")
    usable = MoneySerializer(help_text="What can be withdrawn now.")


class ReleaseSerializer(serializers.Serializer[Any]):
    on = serializers.DateField()
    amount = MoneySerializer()
    words = serializers.CharField()


class AccountBalanceSerializer(BalanceSerializer):
    releases = ReleaseSerializer(many=True, help_text="What becomes usable, by day.")


class MoneyUsesSerializer(serializers.Serializer[Any]):
    """What stops each way of moving money now; an empty list: it can be done."""

    deposit_ach = ReasonSerializer(many=True)
    deposit_wire = ReasonSerializer(many=True)
    withdraw_ach = ReasonSerializer(many=True)
    withdraw_wire = ReasonSerializer(many=True)


class MoneyAccountSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    client_account_id = serializers.CharField()
    application = serializers.UUIDField()
    status = serializers.CharField()
    bank = serializers.CharField(help_text="The linked bank, masked; empty when there is none.")
    balance = AccountBalanceSerializer()
    stops = MoneyUsesSerializer()


class MoneyAccountListSerializer(serializers.Serializer[Any]):
    results = MoneyAccountSerializer(many=True)


class OrderSerializer(serializers.Serializer[Any]):
    """What is to be moved."""

    direction = serializers.ChoiceField(choices=Transfer.Direction.choices)
    rail = serializers.ChoiceField(choices=RAILS)
    amount = PositiveMoneySerializer()
    wire_recipient = serializers.UUIDField(
        required=False, allow_null=True, help_text="Where a wire goes; one of the account's wire recipients."
    )


class TransferRequestSerializer(OrderSerializer):
    authorisation_sha256 = serializers.RegexField(
        r"^[0-9a-f]{64}$",
        required=False,
        help_text="Of the text in the quote that the person accepted; an ACH transfer needs it.",
    )


class AuthorisationSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    sha256 = serializers.CharField()


class QuoteSerializer(serializers.Serializer[Any]):
    """On what terms it would go."""

    stops = ReasonSerializer(many=True, help_text="Empty: it can be asked for.")
    most = MoneySerializer(allow_null=True, help_text="The most that can be asked for now; null: no limit.")
    expected_on = serializers.DateField()
    release_on = serializers.DateField(allow_null=True, help_text="From when a deposit may be withdrawn.")
    authorisation = AuthorisationSerializer(
        allow_null=True, help_text="To be shown whole and accepted, for an ACH transfer."
    )
    second_factor_needed = serializers.BooleanField(
        help_text="true: a second factor must be shown first; see second-factor-needed."
    )
    held = serializers.BooleanField(help_text="true: one of us looks at it before it goes.")


class FateSerializer(serializers.Serializer[Any]):
    """Why it did not stand."""

    code = serializers.CharField(help_text="The provider's, such as R01; may be empty.")
    text = serializers.CharField()


class TransferActionSerializer(serializers.Serializer[Any]):
    """What an app does next."""

    kind = serializers.CharField(
        help_text="wait, none, link_bank, change_amount or contact_support; show title and body for others."
    )
    title = serializers.CharField()
    body = serializers.CharField()
    poll_after = serializers.IntegerField(
        allow_null=True, help_text="Seconds until it is worth asking again."
    )


class TransferSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    account = serializers.UUIDField()
    receipt = serializers.CharField(help_text="The number that people read to each other.")
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Transfer.Kind.choices)
    direction = serializers.ChoiceField(choices=Transfer.Direction.choices)
    rail = serializers.ChoiceField(choices=Transfer.Rail.choices)
    status = serializers.ChoiceField(choices=Transfer.Status.choices)
    status_at = Moment()
    created_at = Moment()
    completed_at = Moment(allow_null=True)
    amount = MoneySerializer(help_text="Positive; direction says which way.")
    other_side = serializers.CharField(help_text="The bank, masked.")
    reference = serializers.CharField()
    expected_on = serializers.DateField(allow_null=True)
    release_on = serializers.DateField(allow_null=True)
    fate = FateSerializer(allow_null=True)
    may_cancel = serializers.BooleanField()
    ball = BallSerializer()
    next_action = TransferActionSerializer()


class TransferListSerializer(serializers.Serializer[Any]):
    results = TransferSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class WireRecipientRequestSerializer(serializers.Serializer[Any]):
    """A bank account of the customer's own to which wires may go."""

    bank_name = serializers.CharField(max_length=140)
    bank_address = serializers.CharField(max_length=300)
    routing_number = serializers.CharField(max_length=20, help_text="Nine digits that add up (ABA).")
    account_number = serializers.CharField(max_length=40, help_text="4 to 17 digits.")
    swift_code = serializers.CharField(max_length=20, required=False, allow_blank=True)

    def validate_routing_number(self, value: str) -> str:
        """Its digits add up."""
        return _held(routing_number, value)

    def validate_account_number(self, value: str) -> str:
        """Digits alone."""
        return _held(account_number, value)

    def validate_swift_code(self, value: str) -> str:
        """In capitals, or nothing."""
        return _held(swift_code, value)


def _held(check: Any, text: str) -> str:
    try:
        return str(check(text))
    except ValueError as error:
        raise serializers.ValidationError([str(error)]) from None


class WireRecipientSerializer(serializers.Serializer[Any]):
    """The numbers come back masked."""

    id = serializers.UUIDField()
    bank_name = serializers.CharField()
    bank_address = serializers.CharField()
    routing_number = serializers.CharField()
    account_number = serializers.CharField()
    swift_code = serializers.CharField()
    created_at = Moment()


class WireInstructionsSerializer(serializers.Serializer[Any]):
    """As of now: show them, and keep them nowhere."""

    reference = serializers.CharField(help_text="Belongs into the field for the beneficiary's instructions.")
    routing_number = serializers.CharField()
    account_number = serializers.CharField()
    swift_code = serializers.CharField()
    bank_name = serializers.CharField()
    bank_address = serializers.CharField()
    beneficiary_name = serializers.CharField()
    beneficiary_address = serializers.CharField()
    rules = serializers.ListField(child=serializers.CharField(), help_text="Sentences to show with them.")


class MonthSerializer(serializers.Serializer[Any]):
    month = serializers.CharField(help_text="Such as 2026-11.")
    pdf_parts = serializers.IntegerField(
        help_text="In how many parts its PDF comes; 1 but for very many movements."
    )


class NoticeSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=NoticeKind.choices)
    title = serializers.CharField()
    body = serializers.CharField(help_text="Empty when things have gone on since.")
    transfer = serializers.UUIDField(allow_null=True)
    account = serializers.UUIDField(allow_null=True)
    created_at = Moment()
    read_at = Moment(allow_null=True)


class NoticeListSerializer(serializers.Serializer[Any]):
    results = NoticeSerializer(many=True)
    unread = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)


class StrictBooleanField(serializers.BooleanField):
    """true or false, and nothing that could be taken for one."""

    def to_internal_value(self, data: Any) -> bool:
        """Raises ValidationError for anything else."""
        if not isinstance(data, bool):
            raise serializers.ValidationError("Must be true or false.")
        return data


class NoticeChoiceSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=NoticeKind.choices)
    by_mail = StrictBooleanField()
    in_list = StrictBooleanField()
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]
    fixed = serializers.BooleanField(read_only=True, help_text="true: always on, whatever is sent.")


class NoticeChoicesSerializer(serializers.Serializer[Any]):
    choices = NoticeChoiceSerializer(many=True)


def transfer_data(row: Transfer) -> dict[str, Any]:
    """One transfer as the API gives it."""
    words, bad = standing.explain(row), row.status in Transfer.ENDED_BADLY - {Transfer.Status.CANCELLED}
    data = {
        "id": row.pk,
        "account": row.account_id,
        "receipt": row.short,
        "name": standing.name(row),
        "amount": money(row.amount),
        "other_side": standing.other_side(row),
        "fate": {"code": row.reason_code, "text": standing.reason_of(row).customer} if bad else None,
        "may_cancel": row.status == Transfer.Status.HELD,
        "ball": standing.ball(row),
        "next_action": words,
    }
    same = (
        "kind", "direction", "rail", "status", "status_at", "created_at", "completed_at", "reference",
        "expected_on", "release_on",
    )  # fmt: skip
    return dict(TransferSerializer(data | {name: getattr(row, name) for name in same}).data)


def quote_data(found: Terms, text: str, sha256: str, *, second_factor_needed: bool) -> dict[str, Any]:
    """The terms as the API gives them."""
    return {
        "stops": found.stops,
        "most": money(found.most),
        "expected_on": found.expected_on,
        "release_on": found.release_on,
        "authorisation": {"text": text, "sha256": sha256} if text else None,
        "second_factor_needed": second_factor_needed,
        "held": bool(found.held_for),
    }


def balance_data(found: balances.Standing) -> dict[str, Any]:
    """The money of an account as the API gives it."""
    theirs = found.theirs
    fresh = theirs is not None and clock.now() - theirs.read_at < balances.FRESH_FOR
    return {
        "settled": money(theirs.settled) if theirs else None,
        "unsettled": money(theirs.unsettled) if theirs else None,
        "read_at": theirs.read_at if theirs else None,
        "fresh": fresh,
        "incoming": money(found.incoming),
        "outgoing": money(found.outgoing),
        "usable": money(found.usable),
        "releases": [
            {"on": row.on, "amount": money(row.amount), "words": standing.release_line(row)}
            for row in found.releases
        ],
    }


def recipient_data(row: WireRecipient) -> dict[str, Any]:
    """A bank account for wires, its numbers masked."""
    same = ("bank_name", "bank_address", "swift_code", "created_at")
    masked = {
        "id": row.pk,
        "routing_number": str(row.routing_number),
        "account_number": str(row.account_number),
    }
    return dict(WireRecipientSerializer(masked | {name: getattr(row, name) for name in same}).data)
