"""What a migrating account may lack for a while. One table, from seed 000 "Required Fields".

The provider labels these objects as not required, so that customers with incomplete data can be brought over; what
an object holds, once it is there, must still be whole. Without it an account is asked for everything at once.
"""

from dataclasses import replace

from onboarding.requirements.steps import Step, StepName

#: Steps that may be missing as a whole: the contract's investmentProfile and employment. Its agreements are required of
#: everybody (contract 4.2): StepName.AGREEMENTS belongs here once the provider says that they may follow
#: (docs/providers.md, "What is assumed"). Then an empty list of them is sent.
MAY_LACK_STEPS = frozenset({StepName.INVESTMENT, StepName.EMPLOYMENT})
#: Single answers that may be missing: the contract's phoneNumber.
MAY_LACK_ANSWERS: dict[str, frozenset[str]] = {StepName.CONTACT: frozenset({"phone"})}
#: The same for people.
IN_WORDS = "the investment profile, employment and phone number"


def may_lack_step(name: str) -> bool:
    """Whether the whole step may be missing during the grace period."""
    return name in MAY_LACK_STEPS


def may_lack_answer(step: str, answer: str) -> bool:
    """Whether this answer may be missing during the grace period."""
    # Agreements are accepted one by one: those that were are sent, the others follow.
    if step == StepName.AGREEMENTS:
        return may_lack_step(step)
    return answer in MAY_LACK_ANSWERS.get(step, ())


def lenient(step: Step) -> Step:
    """The step with the answers that may be missing no longer required."""
    free = MAY_LACK_ANSWERS.get(step.name)
    if not free:
        return step
    return replace(
        step,
        fields=tuple(
            replace(field, required=False) if field.name in free else field for field in step.fields
        ),
    )
