"""How forms become HTML, and the date of three boxes."""

import datetime as dt
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.template import Context, Template

from portal.forms_ui import MemorableDateField

MARCH = {"birth_month": "3", "birth_day": "27", "birth_year": "1985"}


class Person(forms.Form):
    name = forms.CharField(label="Full name", help_text="As on your passport.")
    kind = forms.ChoiceField(label="Kind", choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    more = forms.CharField(
        label="More",
        required=False,
        widget=forms.TextInput(attrs={"data-shown-when": "kind=b", "class": "input--short"}),
    )
    birth = MemorableDateField(
        label="Date of birth", latest=dt.date(2008, 11, 21), earliest=lambda: dt.date(1900, 1, 1)
    )
    agree = forms.BooleanField(label="I agree")
    token = forms.CharField(widget=forms.HiddenInput, initial="t0k3n")
    fieldsets = [("About you", "Hint of the group", ["birth", "name"])]


def draw(source: str, **context: Any) -> str:
    return Template(source).render(Context(context))


def tag(html: str, name: str) -> str:
    found = re.search(rf'<[a-z]+ [^>]*name="{name}"[^>]*>', html)
    assert found, f"{name} is not drawn"
    return found.group()


def test_every_field_is_labelled_described_and_styled() -> None:
    html = draw("{% form_fields form %}", form=Person())
    assert '<label class="govuk-label" for="id_name">Full name</label>' in html
    assert 'aria-describedby="id_name_helptext"' in tag(html, "name") and 'id="id_name_helptext"' in html
    assert 'class="govuk-input"' in tag(html, "name")
    assert html.count('name="kind"') == 2 and 'class="choice" for="id_kind_0"' in html
    assert 'type="hidden"' in tag(html, "token") and "govuk" not in tag(html, "token")


def test_fieldsets_come_first_and_lose_no_field() -> None:
    html = draw("{% form_fields form %}", form=Person())
    order = [
        html.index(mark)
        for mark in ("About you", 'name="birth_month"', 'name="name"', 'name="kind"', 'name="agree"')
    ]
    assert order == sorted(order)
    assert all(html.count(f'name="{name}"') == 1 for name in ("name", "more", "birth_year", "agree", "token"))


def test_a_condition_stands_on_the_wrapper_not_on_the_control() -> None:
    html = draw("{% field form.more %}", form=Person())
    assert '<div class="field govuk-form-group" data-shown-when="kind=b">' in html
    assert "data-shown-when" not in tag(html, "more")
    assert 'class="govuk-input input--short"' in tag(html, "more")
    assert "(optional)" in html


def test_errors_are_beside_the_field_and_in_the_summary_with_a_link_that_leads_somewhere() -> None:
    form = Person({"token": "t", **MARCH, "birth_day": "32"})
    form.add_error(None, "The two do not fit together.")
    html = draw("{% error_summary form %}{% form_fields form %}", form=form)
    assert "5 things need your attention" in html and "<li>The two do not fit together.</li>" in html
    links = re.findall(r'<a href="#([^"]+)">([^<]+)</a>', html)
    assert [target for target, _ in links] == ["id_birth_month", "id_name", "id_kind_0", "id_agree"]
    assert ("id_name", "Full name: this field is required.") in links
    for target, _ in links:
        assert f'id="{target}"' in html
    assert 'aria-invalid="true"' in tag(html, "name")
    assert (
        'aria-describedby="id_name_helptext id_name_error"' in tag(html, "name")
        and 'id="id_name_error"' in html
    )
    assert draw("{% error_summary form %}", form=Person()) == ""


def test_values_and_labels_are_escaped() -> None:
    form = Person({"name": '"><script>alert(1)</script>', "more": "<b>"})
    html = draw("{% error_summary form %}{% form_fields form %}", form=form)
    assert "<script>" not in html and "<b>" not in html and "&lt;script&gt;" in html


def test_a_password_is_not_sent_back() -> None:
    class Secret(forms.Form):
        password = forms.CharField(widget=forms.PasswordInput)

    assert "hunter2hunter2" not in draw("{% form_fields form %}", form=Secret({"password": "hunter2hunter2"}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"birth_month": "", "birth_day": "", "birth_year": ""}, "Enter the date"),
        ({"birth_year": ""}, "must include a year"),
        ({"birth_month": "", "birth_day": " "}, "must include a month and a day"),
        ({"birth_month": "March"}, "Use numbers"),
        ({"birth_month": "\N{SUPERSCRIPT THREE}"}, "Use numbers"),
        ({"birth_month": "13"}, "between 1 and 12"),
        ({"birth_year": "85"}, "four digits"),
        ({"birth_month": "2", "birth_day": "30"}, "no such day"),
        ({"birth_day": "0"}, "no such day"),
        ({"birth_year": "0000"}, "no such day"),
        ({"birth_year": "2009"}, "November 21, 2008 or earlier"),
        ({"birth_year": "1899"}, "January 1, 1900 or later"),
    ],
)
def test_a_date_says_what_is_wrong_with_it(change: dict[str, str], words: str) -> None:
    form = Person({**MARCH, **change})
    assert len(form.errors["birth"]) == 1 and words in form.errors["birth"][0]


def test_a_date_is_read_and_shown_again() -> None:
    form = Person({**MARCH, "birth_month": " 03 ", "name": "A", "kind": "a", "agree": "on", "token": "t"})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["birth"] == dt.date(1985, 3, 27)
    for initial in (dt.date(1985, 3, 27), "1985-03-27"):
        html = draw("{% field form.birth %}", form=Person(initial={"birth": initial}))
        assert 'value="3"' in tag(html, "birth_month") and 'value="1985"' in tag(html, "birth_year")
    kept = draw("{% field form.birth %}", form=Person({**MARCH, "birth_day": "x7"}))
    assert 'value="x7"' in tag(kept, "birth_day")


def test_an_optional_date_may_be_left_empty_but_not_half_filled() -> None:
    class Maybe(forms.Form):
        day = MemorableDateField(required=False)

    assert Maybe({}).is_valid() and Maybe({}).fields["day"].clean(["", "", ""]) is None
    assert not Maybe({"day_month": "3"}).is_valid()


def test_a_file_field_is_labelled_and_shows_the_file_there_is() -> None:
    class Proof(forms.Form):
        proof = forms.FileField(label="Proof", required=False, help_text="A PDF.")

    html = draw("{% field form.proof %}", form=Proof())
    assert '<label class="govuk-label" for="id_proof">Proof' in html
    assert 'type="file"' in tag(html, "proof") and 'aria-describedby="id_proof_helptext"' in tag(
        html, "proof"
    )
    assert "Clear" not in html
    kept = SimpleNamespace(url="/files/1/")
    html = draw("{% field form.proof %}", form=Proof(initial={"proof": kept}))
    assert 'href="/files/1/"' in html and 'for="proof-clear_id"' in html and 'name="proof-clear"' in html
