"""The demo data: applications in every state worth showing, told by the sandbox's stories; safe to repeat."""

from typing import Any

from compliance.models import Case
from onboarding import demo, provider_cases
from onboarding.models import Application, ProviderAccount
from portal.models import User
from sandbox.testing import SandboxProcess
from tests.flow import drain


def standing(email: str) -> tuple[str, str]:
    """Where the application and the account of a demo login are."""
    application = Application.objects.get(customer__user__email=email)
    account = ProviderAccount.objects.filter(application=application).first()
    return application.status, account.status if account else ""


def pass_seconds(box: SandboxProcess, seconds: int) -> None:
    box.api("POST", "clock/advance", {"seconds": seconds})
    box.api("POST", "webhooks/flush")
    drain()


def test_the_stories_play_and_some_stand_in_the_middle(box: SandboxProcess) -> None:
    demo.seed()
    drain()
    for _ in range(6):
        pass_seconds(box, 12)
    found = {
        name: standing(f"{name}@demo.example")
        for name in (
            "straight.through",
            "rejected.ofac",
            "manual.review.then.active",
            "flagged.to.suspended",
            "update.under.review",
            "custodial.active",
            "mina.park",
            "leon.fischer",
            "demo1",
            "demo2",
            "twin",
            "founder",
            "maggic.dawn",
            "taxid.retries",
            "suspend.later",
            "liquidate.later",
        )
    }
    assert found == {
        "straight.through": ("approved", "active"),
        "rejected.ofac": ("rejected", "inactive"),
        "manual.review.then.active": ("approved", "active"),
        "flagged.to.suspended": ("approved", "suspended"),
        "update.under.review": ("approved", "active"),
        "custodial.active": ("approved", "active"),
        "mina.park": ("in_review", "under_review"),
        "leon.fischer": ("action_required", "documents_needed"),
        "demo1": ("approved", "active"),
        "demo2": ("approved", "active"),
        "twin": ("held", ""),
        "founder": ("draft", ""),
        "maggic.dawn": ("rejected", "inactive"),
        "taxid.retries": ("rejected", "inactive"),
        "suspend.later": ("approved", "suspended"),
        "liquidate.later": ("approved", "liquidate_only"),
    }
    # Nobody opens the queues and finds them empty.
    waiting = Case.objects.exclude(status__in=Case.DONE).values_list("kind", flat=True)
    assert set(waiting) >= {
        "onboarding.duplicate",
        provider_cases.IDENTITY,
        provider_cases.TAX_NUMBER,
        provider_cases.SANCTIONS,
        provider_cases.SUSPENDED,
        provider_cases.RETURNS,
        provider_cases.LIQUIDATION,
        provider_cases.REVIEW,
    }
    # The company's story waits for its screening; the others have begun.
    runs = {run["name"]: run["state"] for run in box.state()["runs"]}
    assert runs["Noor Bakker"] == "waiting" and "waiting" not in {
        state for name, state in runs.items() if name != "Noor Bakker"
    }


def test_every_story_of_a_person_is_in_it(box: SandboxProcess) -> None:
    listed = box.api("GET", "stories")
    assert listed["problems"] == []
    demo.seed()
    told = {run["story"] for run in box.state()["runs"]}
    assert told == {story["name"] for story in listed["stories"]}


def test_a_second_start_adds_nothing(box: SandboxProcess) -> None:
    first = demo.seed()
    before = Application.objects.count(), User.objects.count(), len(box.state()["runs"])
    assert demo.seed() == first
    assert (Application.objects.count(), User.objects.count(), len(box.state()["runs"])) == before


def test_without_a_sandbox_there_are_demo_data_all_the_same(db: None, settings: Any) -> None:
    settings.SANDBOX_URL = ""
    demo.seed()
    assert standing("parent@demo.example") == ("submitted", "pending")
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    demo.seed()
    assert Application.objects.count() == 9
