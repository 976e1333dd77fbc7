"""Notes that name a colleague: who can be told, how they are told, and where they find it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from compliance import mentions, services
from compliance.models import Case, CaseMention, CaseNote
from portal.errors import Invalid
from portal.models import AuditEntry, MailMessage, User
from tests.compliance.conftest import a_subject, opened
from tests.compliance.test_queues import queue, rule

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
LIST = reverse("cases:list")


def person(staff: Staff, name: str, role: str = "compliance_analyst") -> User:
    user = staff(role)
    user.name = name
    user.save(update_fields=["name"])
    return user


def note(actor: User, case: Case, text: str) -> CaseNote:
    return services.case_note(actor=actor, case_id=case.pk, text=text)


def told(case: Case) -> set[str]:
    return {str(row.person) for row in CaseMention.objects.filter(case=case).select_related("person")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@Ana Ortiz, look at this", {"Ana Ortiz"}),
        ("(@ana ortiz) and @Ana: both", {"Ana Ortiz", "Ana"}),
        ("@Ana Ortiz @Ana Ortiz @Bert", {"Ana Ortiz"}),
        ("write to ana@example.test or a.@b", set()),
        ("5 @ 3", set()),
    ],
)
def test_names_are_read_from_the_text(staff: Staff, text: str, expected: set[str]) -> None:
    bert = person(staff, "Bert")
    person(staff, "Ana Ortiz")
    person(staff, "Ana")
    case = opened()
    note(bert, case, text)
    assert told(case) == expected


def test_of_two_with_one_name_each_can_be_told(staff: Staff) -> None:
    bert, first, second = person(staff, "Bert"), person(staff, "Ana"), person(staff, "Ana")
    case = opened()
    names = mentions.possible(bert, case)
    assert [name for name in names if name.startswith("Ana")] == [
        f"Ana ({one.email.split('@')[0]})" for one in (first, second)
    ]
    note(bert, case, f"@{names[-1]} please")
    assert CaseMention.objects.get().person == second


def test_who_is_named_is_told_without_personal_data_and_finds_it(staff: Staff, signed_in: SignIn) -> None:
    bert, ana = person(staff, "Bert"), person(staff, "Ana")
    case, other = opened(a_subject("Polly Parrot")), opened()
    note(bert, case, "@Ana the tax number is odd")
    letter = MailMessage.objects.get()
    words = f"{letter.subject} {letter.content.reveal()['text']}"
    assert case.reference in words
    assert f"/staff/cases/{case.pk}/" in words
    assert "Bert" in words
    assert letter.content.reveal()["to"] == [ana.email]
    assert "Polly" not in words
    assert "tax" not in words
    assert "tax" not in str(list(AuditEntry.objects.values("after")))
    browser = signed_in(ana)
    page = browser.get(LIST).content.decode()
    assert "1 note you have not seen" in page
    found = browser.get(LIST, {"mentioned": "me"}).content.decode()
    assert case.reference in found
    assert other.reference not in found
    assert case.reference not in signed_in(bert).get(LIST, {"mentioned": "me"}).content.decode()
    browser.get(reverse("cases:detail", args=[case.pk]))
    assert "you have not seen" not in browser.get(LIST).content.decode()
    assert case.reference in browser.get(LIST, {"mentioned": "me"}).content.decode()


def test_who_may_not_see_the_case_cannot_be_told_and_nothing_is_lost(staff: Staff, signed_in: SignIn) -> None:
    manager, bert = person(staff, "Mia", "compliance_manager"), person(staff, "Bert")
    agent = person(staff, "Olga", "onboarding_agent")
    rule(manager, queue(manager, "For managers", seen_by=(), decided_by=()))
    case = opened()
    assert mentions.possible(manager, case) == []
    for text, why in (
        ("@Bert and @Olga", "Bert may not see this case"),
        ("@Nobody here", "Nobody is called “Nobody”"),
    ):
        with pytest.raises(Invalid) as refused:
            note(manager, case, text)
        assert why in " ".join(refused.value.fields["text"])
    assert len(refused.value.fields["text"]) == 1
    assert not (CaseNote.objects.exists() or MailMessage.objects.exists())
    answer = signed_in(manager).post(reverse("cases:note", args=[case.pk]), {"note-text": "@Bert hello"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Bert may not see this case" in page
    assert "@Bert hello" in page
    own = opened(actor=agent)
    Case.objects.filter(pk=own.pk).update(queue=None)
    note(bert, own, "@Olga yours")
    assert told(own) == {"Olga"}
