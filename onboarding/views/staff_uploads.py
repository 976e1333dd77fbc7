"""Papers that staff upload on behalf of a customer: the page, and the same in pieces."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from onboarding import selectors
from onboarding.api.documents import PaperMetadata
from onboarding.api.uploads import UploadSerializer, headers_of, refuse_refused, started_upload
from onboarding.document_forms import StaffPaperForm, limits
from onboarding.models import Application
from onboarding.services.documents import document_upload
from onboarding.services.paper_answers import CLOSED, DESCRIPTION_MAX, PaperAnswers
from onboarding.services.uploads import upload_append, upload_cancel, upload_of, upload_start
from portal import permissions, tus
from portal.errors import Conflict, Invalid
from portal.models import User
from portal.staff import staff_page, user_of

MAY = "document.upload"


def _application(actor: User, application_id: UUID) -> Application:
    permissions.require(actor, MAY)
    return selectors.application_for_staff(actor, application_id)


@require_http_methods(["GET", "POST"])
@staff_page
def upload(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Any of the provider's types of paper, for anybody in the application."""
    actor = user_of(request)
    application = _application(actor, application_id)
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    may_approve = permissions.can_do(actor, "application.decide")
    form = StaffPaperForm(*posted, application=application, may_approve=may_approve)
    if request.method == "POST" and form.is_valid() and _take(actor, application, form):
        messages.success(request, "The file is here.")
        return redirect("staff_documents:papers", application.pk)
    context = {
        "application": application,
        "form": form,
        "here": "The file is here." if request.GET.get("here") == "1" else "",
        "is_closed": application.status in CLOSED,
        "most": settings.DOCUMENT_MAX_BYTES,
        "limits": limits(),
        "nav_section": "applications",
    }
    return render(request, "onboarding/staff/upload.html", context, status=422 if form.errors else 200)


def _take(actor: User, application: Application, form: StaffPaperForm) -> bool:
    """Whether the file was taken; what is wrong stands on the form."""
    given = form.answers()
    try:
        document_upload(
            actor=actor,
            application_id=application.pk,
            type=given.type,
            side=given.side,
            owner_id=given.owner_id,
            country=given.country,
            expires_on=given.expires_on,
            description=given.description,
            by_hand=given.by_hand,
            file=form.cleaned_data["file"],
            source="staff",
        )
    except Invalid as error:
        for field, sentences in error.fields.items():
            form.add_error(field if field in form.fields else None, sentences)
    except Conflict as error:
        form.add_error(None, error.message)
    return not form.errors


class MayUpload(BasePermission):
    """Staff whose role uploads papers."""

    message = "Your role does not upload papers."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User) and permissions.can_do(request.user, MAY)


class StaffMetadata(PaperMetadata):
    """What staff say besides: it goes to the provider in our name."""

    description = serializers.CharField(required=False, max_length=DESCRIPTION_MAX)
    by_hand = serializers.BooleanField(required=False)


class StaffTusView(tus.TusView):
    """For the staff page alone: signed in there, and no part of the API."""

    schema = None
    authentication_classes = [SessionAuthentication]
    permission_classes = [MayUpload]
    max_size = settings.DOCUMENT_MAX_BYTES

    @property
    def actor(self) -> User:
        """Who uploads."""
        assert isinstance(self.request.user, User)
        return self.request.user


class StaffUploadsView(StaffTusView):
    def post(self, request: Request, application_id: UUID) -> Response:
        """Announce a file."""
        size = self.number("Upload-Length")
        said = StaffMetadata(data=self.metadata())
        said.is_valid(raise_exception=True)
        upload = upload_start(
            actor=self.actor,
            application_id=application_id,
            size=size,
            given=PaperAnswers(**said.validated_data),
            source="staff",
        )
        return started_upload(self, upload, reverse("staff:upload_parts", args=[application_id, upload.pk]))


class StaffUploadView(StaffTusView):
    def head(self, request: Request, **ids: Any) -> Response:
        """Where to go on."""
        return Response(status=200, headers=headers_of(upload_of(actor=self.actor, **ids)))

    def get(self, request: Request, **ids: Any) -> Response:
        """What became of it."""
        return Response(UploadSerializer(upload_of(actor=self.actor, **ids)).data)

    def patch(self, request: Request, **ids: Any) -> Response:
        """The next bytes."""
        body, length = self.body()
        offset = self.number("Upload-Offset")
        upload = upload_append(actor=self.actor, offset=offset, length=length, body=body, **ids)
        refuse_refused(upload)
        return Response(status=204, headers=headers_of(upload))

    def delete(self, request: Request, **ids: Any) -> Response:
        """Give it up."""
        upload_cancel(actor=self.actor, **ids)
        return Response(status=204)
