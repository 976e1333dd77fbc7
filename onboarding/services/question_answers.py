"""What customers do about a question of a case: answer it in words."""

from uuid import UUID

from django.db import transaction

from onboarding import document_requests
from onboarding.models import DocumentRequest
from onboarding.services.shared import locked_part
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User

LONGEST_ANSWER = 2000
_SETTLED = "This question is not open any more: nothing needs to be answered."


def question_answer(
    *, actor: User, application_id: UUID, request_id: UUID, text: str, source: str
) -> DocumentRequest:
    """Answer an open question in words: it is settled, and the case that asked comes back.

    Raises NotFound for a question that is not the actor's to answer, Conflict once it is settled, Invalid for an empty
    or overlong answer.
    """
    words = text.replace("\x00", "").replace("\r\n", "\n").strip()
    with transaction.atomic():
        application = locked_part(actor, application_id)
        request = (
            DocumentRequest.objects.select_for_update(of=("self",))
            .select_related("owner__user")
            .filter(pk=request_id, application=application, in_words=True)
            .first()
        )
        if request is None:
            raise NotFound("There is no such question.")
        request.application = application
        if request.uploader != actor:
            raise NotFound("There is no such question.")
        if request.status != DocumentRequest.Status.OPEN or document_requests.is_over(application):
            raise Conflict(_SETTLED)
        if not words or len(words) > LONGEST_ANSWER:
            problem = f"Answer in at most {LONGEST_ANSWER} characters." if words else "Write your answer."
            raise Invalid("Some answers need attention.", fields={"text": [problem]})
        document_requests.answer(request, words, actor=actor, source=source)
    return request
