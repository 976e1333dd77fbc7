# ruff: noqa: F811  (fixtures are imported by name)
"""A case asks its customer a question; they answer in words, and the case comes back with what they wrote."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from compliance.casefile import archive, hooks
from compliance.models import Case, CaseFact
from onboarding import papers, standing
from onboarding.cases.provider_decisions import PAPERS
from onboarding.models import Application, Document, DocumentRequest
from onboarding.privacy import erasing, exporting
from onboarding.services.question_answers import LONGEST_ANSWER, question_answer
from onboarding.tasks import papers_look_after
from portal import clock
from portal.errors import Conflict, Invalid, NotFound
from portal.models import AuditEntry, MailMessage, User
from tests.flow import publish_agreements, submitted
from tests.onboarding.invitations_support import Case as Company
from tests.onboarding.invitations_support import case as company  # noqa: F401  (fixture)
from tests.onboarding.requests_support import applicant_of, ask, proof, reject
from tests.onboarding.test_case_asks import about, now
from tests.people import make_customer_user

Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
ASKED = "Where does the money of your first deposit come from?"
WORDS = "I sold my boat to my neighbour.\nMy social security number is 123-45-6789."
SECRET = "123-45-6789"


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }


@pytest.fixture
def application(customer_user: User) -> Application:
    return submitted(customer_user)


@pytest.fixture
def analyst(staff: Staff) -> User:
    return staff("compliance_analyst")


def question(analyst: User, application: Application, case: Case, **more: Any) -> DocumentRequest:
    given: dict[str, Any] = {"types": [], "in_words": True, "reason": ASKED, "case_id": case.pk} | more
    return ask(analyst, application, **given)


def answer(user: User, asked: DocumentRequest, text: str = WORDS) -> DocumentRequest:
    return question_answer(
        actor=user, application_id=asked.application_id, request_id=asked.pk, text=text, source="page"
    )


def letter() -> tuple[str, str]:
    row = MailMessage.objects.latest("created_at")
    return row.subject, row.content.reveal()["text"]


def test_from_the_question_on_the_case_to_the_answer_in_it(
    application: Application, customer_user: User, analyst: User, signed_in: SignIn
) -> None:
    case, desk = about(application, analyst), signed_in(analyst)
    address = f"{reverse('staff_documents:ask', args=[application.pk])}?case={case.pk}"
    assert "An answer in words" in desk.get(address).content.decode()
    given = {"whose": str(applicant_of(application).pk), "reason": ASKED}
    given["due_on"] = (clock.now().date() + timedelta(days=10)).isoformat()
    refused = desk.post(address, given)
    assert refused.status_code == 422
    assert "Choose at least one paper, or an answer in words." in refused.content.decode()
    assert desk.post(address, given | {"in_words": "on"}).status_code == 302
    asked = DocumentRequest.objects.get()
    assert (now(case).status, asked.types, asked.in_words) == ("waiting_customer", [], True)

    subject, text = letter()
    page = reverse("customer:question", args=[application.pk, asked.pk])
    assert subject == "We have a question for you" and page in text and ASKED not in text
    application.refresh_from_db()
    assert standing.ball(application).line == "Waiting for the answer to our question"
    told = standing.standing(application)
    assert (told.next_kind, told.next_title) == ("answer_questions", "Answer our question")
    browser = signed_in(customer_user)
    status = browser.get(reverse("customer:application", args=[application.pk])).content.decode()
    assert ASKED in status and page in status
    # It is no paper: nothing is to be uploaded for it.
    assert papers.papers_for(customer_user, application) == []

    assert ASKED in browser.get(page).content.decode()
    empty = browser.post(page, {"text": " \n "})
    assert empty.status_code == 422 and "Write your answer." in empty.content.decode()
    assert now(case).status == "waiting_customer"
    assert browser.post(page, {"text": WORDS}).status_code == 302
    back = now(case)
    assert (back.status, back.assignee) == ("in_progress", analyst)
    fact = case.facts.latest("pk")
    assert (fact.title, fact.evidence["asked"]) == ("The customer answered in words", ASKED)
    application.refresh_from_db()
    assert (application.papers_asked, application.questions_asked) == (0, 0)

    # Whoever works on it reads the words, and what looks like numbers only where they say why.
    shown = desk.get(reverse("cases:detail", args=[case.pk])).content.decode()
    assert "I sold my boat" in shown and SECRET not in shown
    assert reverse("reveals:reveal", args=["onboarding.documentrequest.answer", asked.pk]) in shown
    history = desk.get(f"{reverse('cases:detail', args=[case.pk])}?show=all").content.decode()
    assert history.count("I sold my boat") == 2 and SECRET not in history

    # Sent again, nothing is said twice; the customer reads what they wrote.
    assert browser.post(page, {"text": "Another"}).status_code == 409
    again = browser.get(page).content.decode()
    assert "What you answered" in again and SECRET in again and "<textarea" not in again
    assert CaseFact.objects.filter(case=case).count() == 2


def test_the_words_stand_nowhere_but_under_seal(
    application: Application, customer_user: User, analyst: User
) -> None:
    case = about(application, analyst)
    asked = answer(customer_user, question(analyst, application, case))
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM onboarding_documentrequest WHERE id = %s", [asked.pk])
        assert b"boat" not in bytes(cursor.fetchone()[0])
    for row in AuditEntry.objects.all():
        assert "boat" not in json.dumps([row.before, row.after, row.reason])
    for fact in CaseFact.objects.all():
        assert "boat" not in json.dumps(fact.evidence) + fact.title
    assert "boat" not in letter()[1]


def test_a_question_can_be_met_by_a_paper_too(
    application: Application, customer_user: User, analyst: User, signed_in: SignIn
) -> None:
    case = about(application, analyst)
    asked = question(analyst, application, case, types=["PROOF_OF_RESIDENTIAL_ADDRESS"])
    assert asked.title == "Proof of home address or an answer in words"
    page = reverse("customer:question", args=[application.pk, asked.pk])
    assert (
        "Or send a paper instead: Proof of home address"
        in signed_in(customer_user).get(page).content.decode()
    )
    paper = proof(customer_user, application)
    assert now(case).status == "in_progress"
    with pytest.raises(Conflict, match="not open"):
        answer(customer_user, asked)
    Document.objects.update(status="received", scan="off")
    # The paper was no use: words do again, and that settles it.
    reject(analyst, Document.objects.get(pk=paper.pk))
    answer(customer_user, asked)
    asked.refresh_from_db()
    assert asked.status == "accepted" and papers.papers_for(customer_user, application) == []
    titles = list(case.facts.order_by("pk").values_list("title", flat=True))
    assert titles[1:] == [
        "The customer sent what was asked for: Proof of home address or an answer in words",
        "The customer answered in words",
    ]


def test_only_a_case_asks_for_words_and_only_whose_question_it_is_answers(
    application: Application, customer_user: User, analyst: User, signed_in: SignIn
) -> None:
    with pytest.raises(Invalid, match="Only a case"):
        ask(analyst, application, types=[], in_words=True)
    assert not DocumentRequest.objects.exists()
    assert (
        "An answer in words"
        not in signed_in(analyst).get(reverse("staff_documents:ask", args=[application.pk])).content.decode()
    )
    case = about(application, analyst)
    asked, other = question(analyst, application, case), make_customer_user("Ben")
    page = reverse("customer:question", args=[application.pk, asked.pk])
    assert signed_in(other).get(page).status_code == 404
    for wrong in (other, analyst):
        with pytest.raises(NotFound):
            answer(wrong, asked)
    for text in ("", "\x00", "x" * (LONGEST_ANSWER + 1)):
        with pytest.raises(Invalid):
            answer(customer_user, asked, text)
    paper = ask(analyst, application, types=["SOURCE_OF_FUNDS"])
    with pytest.raises(NotFound):
        answer(customer_user, paper)
    assert (now(case).status, DocumentRequest.objects.filter(status="open").count()) == (
        "waiting_customer",
        2,
    )


def test_an_owner_answers_their_own_question_and_the_applicant_reads_none_of_it(
    company: Company, analyst: User, signed_in: SignIn
) -> None:
    owner = company.claim()
    Application.objects.filter(pk=company.application.pk).update(status="submitted", submitted_at=clock.now())
    application = Application.objects.get(pk=company.application.pk)
    case = about(application, analyst)
    asked = question(analyst, application, case, owner_id=owner.pk)
    page = company.url("question", asked.pk)
    theirs, applicant = signed_in(company.invited), signed_in(company.applicant)
    assert ASKED in theirs.get(company.url("part")).content.decode()
    assert applicant.get(page).status_code == 404
    status = applicant.get(company.url("application")).content.decode()
    assert "was asked something and answers it" in status and ASKED not in status
    listed = f"/api/v1/applications/{application.pk}/document-requests"
    [row] = applicant.get(listed).json()["requests"]
    assert (row["id"], row["reason"]) == (str(asked.pk), "")
    assert theirs.get(listed).json()["requests"][0]["reason"] == ASKED
    assert theirs.post(page, {"text": WORDS})["Location"] == company.url("part")
    assert now(case).status == "in_progress"
    assert [one["answer"].reveal() for one in _copied(company.invited)] == [WORDS]
    assert _copied(company.applicant) == []


def _copied(user: User) -> list[dict[str, Any]]:
    content, _ = exporting.contents(user)
    return [one for application in content["applications"] for one in application["questions"]]


def test_apps_answer_once_per_key(
    application: Application, customer_user: User, analyst: User, signed_in: SignIn
) -> None:
    case, app = about(application, analyst), signed_in(customer_user)
    asked = question(analyst, application, case)
    listed = f"/api/v1/applications/{application.pk}/document-requests"
    [row] = app.get(listed).json()["requests"]
    assert (row["in_words"], row["types"], row["reason"], row["answered_at"]) == (True, [], ASKED, None)
    state = app.get(f"/api/v1/applications/{application.pk}").json()
    assert state["next_action"]["kind"] == "answer_questions"

    def send(text: Any, key: str) -> Any:
        return app.post(
            f"{listed}/{asked.pk}/answer",
            {"text": text},
            content_type="application/json",
            headers={"Idempotency-Key": key},
        )

    assert [send(text, "a").status_code for text in ("", " ", None)] == [422] * 3
    first, repeat = send(WORDS, "a"), send(WORDS, "a")
    assert (first.status_code, first.json()["status"]) == (200, "accepted")
    assert repeat.json() == first.json() and "boat" not in first.content.decode()
    assert (send("Other", "a").status_code, send("Other", "b").status_code) == (409, 409)
    assert now(case).status == "in_progress" and case.facts.count() == 2
    assert app.get(listed).json()["requests"][0]["answered_at"]


def test_the_copy_holds_it_the_case_file_too_and_erasure_takes_it(
    application: Application, customer_user: User, analyst: User
) -> None:
    case = about(application, analyst)
    answer(customer_user, question(analyst, application, case))
    [told] = _copied(customer_user)
    assert (told["asked"], told["answer"].reveal()) == (ASKED, WORDS)
    files = [row for row in archive.files_of(case, hooks.Contribution()) if "/answers/" in row[0]]
    [(path, file)] = files
    assert path == f"{case.reference}/answers/01-answer.txt" and file.open().read() == WORDS.encode()
    erasing.erase_application(application)
    assert not DocumentRequest.objects.exists()
    assert not [path for path, _ in archive.files_of(case, hooks.Contribution()) if "/answers/" in path]


def test_the_letters_remind_of_an_answer(application: Application, analyst: User) -> None:
    with time_machine.travel("2027-03-02T12:00:00Z", tick=False):
        case = about(application, analyst)
        question(analyst, application, case)
    subjects = []
    for day in ("2027-03-09", "2027-03-12", "2027-03-19"):
        with time_machine.travel(f"{day}T12:00:00Z", tick=False):
            papers_look_after()
            subjects.append(letter()[0])
    assert subjects == ["Your answer is due soon", "Your answer is due soon", "We still wait for your answer"]


def test_the_decisions_that_ask_for_a_paper_ask_for_words_too() -> None:
    assert [code for code, (_, types) in PAPERS.items() if not types] == ["words"]
