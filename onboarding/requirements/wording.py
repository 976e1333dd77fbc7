"""The same questions where the person who reads them is not the one they are about.

An applicant fills in for a child, staff for a customer: then no title, label or hint may say "you". The questions are
written to the person themselves; this is the one place that says them differently.
"""

from dataclasses import replace

from onboarding.requirements.fields import Field
from onboarding.requirements.steps import Step, worded

#: What a question says to the person themselves -> what it says to whoever answers for them.
OF_ANOTHER = {
    # Who they are
    "Who you are": "Who they are",
    "Which number can you give?": "Which number can they give?",
    "I have none": "They have none",
    "My country issues no such number": "Their country issues no such number",
    "My country issues one, but not to me so far": "Their country issues one, but not to them so far",
    # How to reach them, where they live, what they do
    "How to reach you": "How to reach them",
    "Where you live": "Where they live",
    "Your work": "Their work",
    "What describes you best?": "What describes them best?",
    "Your own business if you are self-employed.": "Their own business if they are self-employed.",
    # What the account is for
    "Your investment profile": "Their investment profile",
    "These answers describe the account. They do not limit what you may buy; "
    "activity far from them may be looked at.": (
        "These answers describe the account. They do not limit what the customer may buy; "
        "activity far from them may be looked at."
    ),
    "Capital preservation: keep what I have": "Capital preservation: keep what they have",
    "Risk you are ready to take": "Risk they are ready to take",
    "How long you mean to invest": "How long they mean to invest",
    "Savings and investments you could sell": "Savings and investments they could sell",
    "Everything you own, less debts": "Everything they own, less debts",
    "What you expect to deposit in a month": "What they expect to deposit in a month",
    "It limits nothing. If much more comes in, we may ask you about it.": (
        "It limits nothing. If much more comes in, we may ask about it."
    ),
    # Their trusted contact
    "Somebody we may ask after you": "Somebody we may ask after them",
    "You may name one adult whom we contact if we cannot reach you or fear that somebody cheats you. "
    "They cannot see or move your money.": (
        "The customer may name one adult whom we contact if we cannot reach the customer or fear that somebody "
        "cheats them. That adult cannot see or move the money."
    ),
}


def of_another(step: Step) -> Step:
    """The step as it is read by somebody who answers for the person; a browser must not fill in the reader's own."""
    told = worded(step, "their")
    fields = tuple(_told(field) for field in told.fields)
    return replace(told, title=_words(step.title), intro=_words(step.intro), fields=fields)


def _words(text: str) -> str:
    return OF_ANOTHER.get(text, text)


def _told(field: Field) -> Field:
    return replace(
        field,
        label=_words(field.label),
        hint=_words(field.hint),
        choices=tuple((value, _words(label)) for value, label in field.choices),
        autocomplete="",
    )
