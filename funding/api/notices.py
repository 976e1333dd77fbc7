"""The endpoints of what the customer is told about their money."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from funding import notices
from funding.api import serializers as io
from funding.models import Notice
from onboarding.api.views import CustomerView
from portal.api.schema import answers
from portal.pages import keyset


def notice_data(row: Notice) -> dict[str, object]:
    """One line as the API gives it."""
    title, body = notices.words(row)
    data = {
        "id": row.pk,
        "kind": row.kind,
        "title": title,
        "body": body,
        "transfer": row.transfer_id,
        "account": row.transfer.account_id if row.transfer else None,
        "created_at": row.created_at,
        "read_at": row.read_at,
    }
    return dict(io.NoticeSerializer(data).data)


class NoticesView(CustomerView):
    @extend_schema(
        operation_id="notices_list",
        summary="What I was told about my money, newest first",
        parameters=[
            OpenApiParameter("cursor", OpenApiTypes.STR, description="From `next` of the page before.")
        ],
        responses=answers(200, io.NoticeListSerializer),
    )
    def get(self, request: Request) -> Response:
        """25 at a time. The words are those of now, not of when it happened."""
        page = keyset(notices.listed(self.user), after=request.query_params.get("cursor", ""), size=25)
        return Response(
            {
                "results": [notice_data(row) for row in page.rows],
                "unread": notices.unread(self.user).count(),
                "next": page.older or None,
            }
        )


class NoticesReadView(CustomerView):
    @extend_schema(
        operation_id="notices_read",
        summary="I have read all of it",
        request=None,
        responses=answers(200, io.NoticeListSerializer),
    )
    def post(self, request: Request) -> Response:
        """The first page as it is then."""
        notices.mark_read(self.user)
        return NoticesView.get(self, request)  # type: ignore[arg-type]


class NoticeChoicesView(CustomerView):
    @extend_schema(
        operation_id="notice_choices",
        summary="How I am told of each kind",
        responses=answers(200, io.NoticeChoicesSerializer),
    )
    def get(self, request: Request) -> Response:
        """By letter, in the list, or both."""
        return Response(io.NoticeChoicesSerializer({"choices": notices.choices_of(self.user)}).data)

    @extend_schema(
        operation_id="notice_choices_keep",
        summary="Say how I want to be told",
        request=io.NoticeChoicesSerializer,
        responses=answers(200, io.NoticeChoicesSerializer, reads_body=True),
    )
    def put(self, request: Request) -> Response:
        """A kind that is left out is switched off; those that are `fixed` stay on whatever is sent."""
        body = io.NoticeChoicesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rows = body.validated_data["choices"]
        notices.choose(
            self.user,
            by_mail={row["kind"] for row in rows if row["by_mail"]},
            in_list={row["kind"] for row in rows if row["in_list"]},
        )
        return self.get(request)
