"""What the OpenAPI document says of every endpoint alike: its problems, its ETag, its error body."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from portal.api.errors import MEDIA_TYPE
from portal.api.problems import PROBLEM_TYPES

#: Any endpoint may answer these.
ALWAYS = (
    "not-authenticated",
    "authentication-failed",
    "permission-denied",
    "not-acceptable",
    "throttled",
    "error",
)
#: And these, when it reads a body.
WITH_BODY = ("parse-error", "too-large", "unsupported-media-type", "invalid")
TYPE_CHOICES = [(kind.url, kind.title) for kind in PROBLEM_TYPES.values()]


class FieldProblemSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(
        help_text="JSON pointer into what was sent, empty for all of it; or a step or agreement of the application."
    )
    detail = serializers.CharField(help_text="A sentence that says how to mend it.")


class ReasonSerializer(serializers.Serializer[Any]):
    """One of the reasons why something cannot be done now, and what helps."""

    code = serializers.CharField(help_text="Stays the same; decide by it.")
    text = serializers.CharField()
    fix = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """An error (RFC 9457). Decide by `type`; the sentences may be reworded."""

    type = serializers.ChoiceField(
        choices=TYPE_CHOICES,
        help_text="Stays the same; the address of a page that says what to do.",
    )
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = FieldProblemSerializer(many=True, required=False)  # type: ignore[assignment]
    reasons = ReasonSerializer(
        many=True, required=False, help_text="All of them at once, where there may be several."
    )
    request_id = serializers.CharField(required=False, help_text="Leads support to the log.")


def answers(status: int, body: Any, *codes: str, reads_body: bool = False) -> dict[Any, Any]:
    """The `responses` of an endpoint: what it gives, and the problems it may answer, by HTTP status."""
    by_status: dict[int, list[str]] = {}
    for code in (*ALWAYS, *(WITH_BODY if reads_body else ()), *codes):
        by_status.setdefault(PROBLEM_TYPES[code].status, []).append(code)
    problems = {
        (number, MEDIA_TYPE): OpenApiResponse(
            ProblemSerializer,
            description=" ".join(
                f"[`{code}`]({PROBLEM_TYPES[code].url}): {PROBLEM_TYPES[code].means}" for code in found
            ),
        )
        for number, found in sorted(by_status.items())
    }
    return {status: OpenApiResponse(body, description="Done."), **problems}


def etag(status: int = 200) -> OpenApiParameter:
    """The header with the draft's version, to be sent back as If-Match."""
    return OpenApiParameter(
        "ETag",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        response=[status],
        required=True,
        description='The draft\'s version, such as "3". Send it as If-Match with the next change.',
    )
