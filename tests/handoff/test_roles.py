"""The table of roles: what nobody named is refused, and what somebody may do is exactly this."""

from dataclasses import replace

import pytest

from bot.handoff.roles import ROLES, Action, Field, Scope, Staff, may, reaches, sees, teams_of

AGENT = Staff("maria", "Maria Exemplo", "agent", ("orders",))
TEAMS = {"orders": 1, "front_desk": 1}


@pytest.mark.parametrize("action", Action)
def test_an_unknown_role_may_nothing(action: Action) -> None:
    assert not may(replace(AGENT, role="burglar"), action)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", Action)
def test_a_disabled_account_may_nothing(role: str, action: Action) -> None:
    assert not may(replace(AGENT, role=role, disabled=True), action)


@pytest.mark.parametrize("role", ROLES)
def test_a_disabled_account_sees_and_reaches_nothing(role: str) -> None:
    gone = replace(AGENT, role=role, disabled=True)
    assert not any(sees(gone, one) for one in Field)
    assert teams_of(gone, TEAMS) == ()


def test_who_reads_words_of_people_is_exactly_this_list() -> None:
    """Adding to it is a decision about people's data: it must change this test too."""
    assert {role for role, one in ROLES.items() if Field.WORDS in one.fields} == {"owner", "lead", "agent", "dpo"}
    assert {role for role, one in ROLES.items() if Field.NUMBER in one.fields} == {"owner", "lead", "agent", "dpo"}
    assert {role for role, one in ROLES.items() if Action.STAFF_EDIT in one.actions} == {"owner", "admin"}
    assert {role for role, one in ROLES.items() if Action.REQUESTS_ANSWER in one.actions} == {"owner", "dpo"}


def test_an_auditor_changes_nothing_and_reads_no_words() -> None:
    auditor = ROLES["auditor"]
    changing = (
        "edit",
        "write",
        "claim",
        "move",
        "drop",
        "answer",
        "template",
        "note",
        "label",
        "take_away",
        "withdraw",
        "reveal",
    )
    assert not [one for one in auditor.actions if one.value.rpartition(".")[2] in changing]
    assert not auditor.fields & {Field.WORDS, Field.NOTES, Field.SHARED, Field.NUMBER, Field.REQUEST_WORDS}


@pytest.mark.parametrize(
    ("role", "teams"),
    [
        pytest.param("agent", ("orders",), id="an agent: their own"),
        pytest.param("lead", ("orders",), id="a lead: their own"),
        pytest.param("owner", ("orders", "front_desk"), id="an owner: all"),
        pytest.param("dpo", ("orders", "front_desk"), id="the officer: all"),
        pytest.param("admin", (), id="an administrator: none"),
        pytest.param("auditor", (), id="an auditor: none"),
    ],
)
def test_whose_chats_are_in_reach(role: str, teams: tuple[str, ...]) -> None:
    assert teams_of(replace(AGENT, role=role), TEAMS) == teams


@pytest.mark.parametrize("role", ROLES)
def test_chats_of_restricted_people_are_the_officer_s_alone(role: str) -> None:
    """GDPR art. 18(2)."""
    assert reaches(replace(AGENT, role=role), "orders", restricted=True) == (role == "dpo")


def test_every_role_that_has_chats_by_scope_may_see_them() -> None:
    for name, role in ROLES.items():
        assert (role.scope is not Scope.NONE) == (Action.CHATS_SEE in role.actions), name
