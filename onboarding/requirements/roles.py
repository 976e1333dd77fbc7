"""Who belongs to an account: the roles each type takes, how many of each, and who accepts agreements for whom.

The contract names the roles (4.2) and fixes one rule: an individual account has its primary owner alone (seed 000).
Which roles the other types take is our assumption, kept here alone.
"""

from dataclasses import dataclass

from onboarding.words import AccountType, EntityType, OwnerRole


@dataclass(frozen=True)
class RoleRule:
    """A role of an account type: between `least` and `most` people. `minor`: someone under age.

    `for_themselves`: accepts agreements with a login of their own; otherwise the applicant accepts for them.
    """

    role: OwnerRole
    least: int
    most: int
    hint: str = ""
    minor: bool = False
    any_age: bool = False
    for_themselves: bool = True


_BENEFICIARIES = RoleRule(
    OwnerRole.BENEFICIARY, 0, 10, "Receives from the trust.", any_age=True, for_themselves=False
)
#: Each holds 25 % or more, so there are at most four.
_BENEFICIAL_OWNERS = RoleRule(
    OwnerRole.BENEFICIAL_OWNER, 0, 4, "Owns 25 % or more, directly or through others.", for_themselves=False
)
_COMPANY = (
    RoleRule(OwnerRole.AUTHORIZED_MEMBER, 1, 5, "Belongs to the company and may act for it on this account."),
    RoleRule(OwnerRole.AUTHORIZED_AGENT, 0, 5, "Acts for the company without belonging to it."),
    _BENEFICIAL_OWNERS,
)
_ROLES: dict[str, tuple[RoleRule, ...]] = {
    AccountType.INDIVIDUAL: (RoleRule(OwnerRole.PRIMARY_OWNER, 1, 1),),
    AccountType.CUSTODIAL: (
        RoleRule(OwnerRole.CUSTODIAN, 1, 2, "Looks after the account until the child is of age."),
        RoleRule(
            OwnerRole.MINOR_OWNER, 1, 1, "The child whose account it is.", minor=True, for_themselves=False
        ),
    ),
    AccountType.ENTITY_PERSONAL_TRUST: (
        RoleRule(OwnerRole.TRUSTEE, 1, 5, "Administers the trust."),
        RoleRule(OwnerRole.JOINT_OWNER, 0, 4, "Set the trust up, where that is somebody else."),
        _BENEFICIARIES,
    ),
    AccountType.ENTITY: _COMPANY,
}
_TRUST_AS_ENTITY = (
    RoleRule(OwnerRole.TRUSTEE, 1, 5, "Administers the trust."),
    _BENEFICIAL_OWNERS,
    _BENEFICIARIES,
)


def roles_of(account_type: str, entity_type: str = "") -> tuple[RoleRule, ...]:
    """The roles of an account type, the applicant's own first."""
    if account_type == AccountType.ENTITY and entity_type == EntityType.TRUST:
        return _TRUST_AS_ENTITY
    return _ROLES[account_type]


def role_rule(account_type: str, entity_type: str, role: str) -> RoleRule | None:
    """The rule of one role there, or None where the account takes no such role."""
    return next((rule for rule in roles_of(account_type, entity_type) if rule.role == role), None)


def has_entity(account_type: str) -> bool:
    """Whether a company or trust holds the account."""
    return account_type in {AccountType.ENTITY, AccountType.ENTITY_PERSONAL_TRUST}


def several_people(account_type: str) -> bool:
    """Whether more people than the applicant belong to the account."""
    return account_type != AccountType.INDIVIDUAL
