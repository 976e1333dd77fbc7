"""The form of a rule that asks for a second person."""

from typing import Any

from django import forms

from compliance import kinds
from compliance.queue_forms import PRIORITIES, MoneyForm

SEPARATOR = "/"


class ApprovalRuleForm(MoneyForm):
    """Which decisions, from which priority and amount on. What is left empty matches anything."""

    what = forms.ChoiceField(
        label="Which decisions",
        required=False,
        error_messages={"invalid_choice": "Choose a decision of the list."},
    )
    priority_from = forms.ChoiceField(
        label="Priority, at least",
        choices=PRIORITIES,
        initial="1",
        help_text="Of the case: as its facts ask for it, or as a rule of the queues raised it.",
    )

    fieldsets = [
        ("Which decisions need a second person", "What you leave empty matches anything.",
         ["what", "priority_from", "amount", "currency"]),
    ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        what = self.fields["what"]
        assert isinstance(what, forms.ChoiceField)
        what.must_answer = True  # type: ignore[attr-defined]
        what.choices = [
            ("", "Every decision of every kind"),
            *((kind.title, self._of(kind)) for kind in kinds.all_kinds() if kind.decisions),
        ]

    @staticmethod
    def _of(kind: kinds.CaseKind) -> list[tuple[str, str]]:
        every = (kind.name, f"Every decision of “{kind.title}”")
        return [every, *((f"{kind.name}{SEPARATOR}{each.code}", each.label) for each in kind.decisions)]

    def wish(self) -> dict[str, Any]:
        """What `services.approval_rule_add` takes."""
        data = self.cleaned_data
        kind, _, decision = data["what"].partition(SEPARATOR)
        return {
            "kind": kind,
            "decision": decision,
            "priority_from": int(data["priority_from"]),
            "amount": data["money"],
        }
