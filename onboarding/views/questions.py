"""The customer's page of one question: what we ask, and their answer in words."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from onboarding import questions, selectors
from onboarding.models import DocumentRequest
from onboarding.services.question_answers import LONGEST_ANSWER, question_answer
from onboarding.views.shared import customer_page
from onboarding.words_documents import DocumentType
from portal.errors import Conflict, Invalid
from portal.forms_ui import add_errors
from portal.staff import user_of


class AnswerForm(forms.Form):
    """The answer, in the customer's own words."""

    text = forms.CharField(
        label="Your answer",
        help_text="In your own words. Only our staff read it.",
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": "Write your answer."},
    )


@require_http_methods(["GET", "POST"])
@customer_page
def question(request: HttpRequest, application_id: UUID, request_id: UUID) -> HttpResponse:
    """What we ask with the place to answer it; afterwards, what was answered."""
    user = user_of(request)
    application = selectors.application_with_part(user, application_id)
    found = questions.question_for(user, application, request_id)
    is_applicant = application.customer.user_id == user.pk
    back = reverse("customer:application" if is_applicant else "customer:part", args=[application.pk])
    form, problem = AnswerForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        try:
            question_answer(
                actor=user,
                application_id=application.pk,
                request_id=found.pk,
                text=form.cleaned_data["text"],
                source="page",
            )
        except Invalid as error:
            add_errors(form, error.fields)
        except Conflict as error:
            problem = error.message
        else:
            messages.success(request, "Your answer is with us. Whoever asked reads it.")
            return redirect(back)
    context = {
        "application": application,
        "question": found,
        "whose": found.owner.full_name if found.owner and not found.owner.is_applicant else "",
        "is_open": found.status == DocumentRequest.Status.OPEN,
        "answer": found.answer.reveal() if found.answer else "",
        "papers": [DocumentType(kind).label for kind in found.types],
        "form": form,
        "problem": problem,
        "back": back,
        "back_label": "Your application" if is_applicant else "Your part",
        "nav_section": "home",
    }
    status = 409 if problem else 422 if form.errors else 200
    return render(request, "onboarding/customer/question.html", context, status=status)
