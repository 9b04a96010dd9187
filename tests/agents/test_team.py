"""The team: five presets, @names, Markdown there and back, edits with their history."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.addressing import addressed
from agents.agent_files import AgentFile, read_agent_file, write_agent_file
from agents.errors import AgentFileMalformed, AgentNameTaken, UnknownAgent
from agents.events import Event, RosterChanged
from agents.office import Office
from memory.errors import Refused
from memory.roster import Agent

NAMES = ["Lead", "Data Analyst", "Data", "שרה לוי", 'Anna "Nan" O’Neill', "Librarian"]


def agent(name: str) -> Agent:
    return Agent(
        id=name, name=name, role="", avatar="", personality="", language="", time_zone="", instructions="",
        connection_id=None, model="", temperature=None, max_tokens=None, effort="normal", tools=(),
        memory_scopes=(), recipients=(), accepts_own_notes=False, run_cap=None, day_cap=None,
        librarian=name == "Librarian", position=0, revision=1, created_at=0, updated_at=0, archived_at=None,
    )  # fmt: skip


TEAM = [agent(name) for name in NAMES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How deep is it?", []),
        ("@Lead how deep?", ["Lead"]),
        ("@lead, @Data please", ["Lead", "Data"]),
        ("@Data Analyst and @Lead: compare", ["Data Analyst", "Lead"]),
        ("ask @lead about it", ["Lead"]),
        ("@שרה לוי מה שלומך", ["שרה לוי"]),
        ("\u200f@שרה לוי\u200f: שלום", ["שרה לוי"]),
        ('@"Data Analyst" go', ["Data Analyst"]),
        ("@“Data” go", ["Data"]),
        ('@Anna "Nan" O’Neill, write', ['Anna "Nan" O’Neill']),
        ("write to anna@lead.example about @Data", ["Data"]),
        ("what does @property mean?", []),
        ("@all what do you think?", ["Lead", "Data Analyst", "Data", "שרה לוי", 'Anna "Nan" O’Neill']),
        ("@Lead @LEAD twice", ["Lead"]),
        ("@Leadership is a book", None),
        ("@Datum go", None),
        ("@", None),
    ],
)
def test_who_is_addressed(text: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(UnknownAgent, match="Nobody here is called"):
            addressed(text, TEAM)
    else:
        assert [found.name for found in addressed(text, TEAM).agents] == expected


def test_a_near_miss_names_whom_it_may_have_meant() -> None:
    with pytest.raises(UnknownAgent, match="did you mean @Librarian"):
        addressed("@libarian, where is it?", TEAM)


FULL = AgentFile(
    name="שרה “S” Levi 🦉",
    role="Reads: closely, # always",
    avatar="teal 🦉",
    personality="yes",
    language="עברית",
    time_zone="Asia/Jerusalem",
    connection="Work: key",
    model="claude-sonnet-5",
    temperature=0.4,
    max_tokens=4_000,
    effort="deep",
    tools=("recall", "remember"),
    memory_scopes=("office",),
    recipients=("api.example.org", "127.0.0.1:11434"),
    accepts_own_notes=True,
    run_cap=250_000,
    day_cap=2_000_000,
    librarian=False,
    instructions="Line one.\n\n---\n\n- [ ] keep this\n\tand this",
    others={"colour": "red", "nested": {"a": [1, 2]}},
)


def test_a_file_goes_there_and_back() -> None:
    assert read_agent_file(write_agent_file(FULL)) == FULL


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60)


@given(name=texts, role=texts, instructions=texts)
def test_any_text_goes_there_and_back(name: str, role: str, instructions: str) -> None:
    name = " ".join(name.replace("@", "").split()) or "A"
    file = AgentFile(name=name, role=role.strip(), instructions=instructions.strip())
    again = read_agent_file(write_agent_file(file))
    assert again == replace(file, name=" ".join(again.name.split()))
    assert again.name == name


def test_an_agent_file_of_another_program_is_understood() -> None:
    text = (
        "---\nname: code-reviewer\ndescription: Reviews code: carefully\ntools: Read, Grep\nmodel: inherit\n"
        "color: blue\npermissionMode: plan\n---\nYou review code.\n"
    ).replace("code: carefully", "code carefully")
    file = read_agent_file(text)
    assert (file.name, file.role, file.tools, file.model, file.avatar) == (
        "code-reviewer", "Reviews code carefully", ("Read", "Grep"), "", "blue",
    )  # fmt: skip
    assert file.others["permissionMode"] == "plan"
    assert file.instructions == "You review code."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "first line must be"),
        ("name: X", "first line must be"),
        ("---\nname: X\n", "no end"),
        ("---\nname: [X\n---\n", "no valid YAML"),
        ("---\n- X\n---\n", "name: value"),
        ("---\nrole: X\n---\n", "names no agent"),
        ("---\nname: a@b\n---\n", "no “@”"),
        ("---\nname: X\neffort: huge\n---\n", "“effort” must be one of quick, normal, deep"),
        ("---\nname: X\ntemperature: hot\n---\n", "“temperature” must be a number"),
        ("---\nname: X\nmax_tokens: 0\n---\n", "“max_tokens” must be"),
        ("---\nname: X\nrun_cap: -1\n---\n", "dollars"),
        ("---\nname: X\nlibrarian: maybe\n---\n", "true or false"),
        ("---\nname: X\ntools: 7\n---\n", "must be a list"),
        ("---\na: &a [x]\nname: *a\n---\n", "not allowed"),
        ("---\nname: X\nwhen: 2026-99-99\n---\n", "put it in quotes"),
        ("---\nname: X\n---\n" + "x" * 1_000_001, "over 1 MB"),
    ],
)
def test_a_bad_file_is_refused_with_the_fix(text: str, words: str) -> None:
    with pytest.raises(AgentFileMalformed) as caught:
        read_agent_file(text)
    assert words in str(caught.value)


async def test_five_presets_work_in_a_new_office(offices: Callable[..., Awaitable[Office]]) -> None:
    office = await offices()
    team = await office.roster.all()
    assert [one.name for one in team] == ["Lead", "Researcher", "Analyst", "Writer", "Librarian"]
    assert [one.name for one in team if one.librarian] == ["Librarian"]
    assert all(one.role and one.instructions and one.avatar and one.tools for one in team)
    for one in team:
        await office.roster.archive(one.id)
    await office.close()
    again = await offices()
    assert await again.roster.all() == (), "an office that was emptied on purpose is not filled again"


async def test_import_export_and_history(office: Office, heard: list[Event]) -> None:
    hired = await office.roster.import_markdown(write_agent_file(FULL))
    assert isinstance(heard[-1], RosterChanged)
    assert hired.connection_id is None, "there is no connection of that label here"
    exported = read_agent_file(await office.roster.export_markdown(hired.id))
    assert exported == replace(FULL, connection="")
    with pytest.raises(AgentNameTaken, match="works here already"):
        await office.roster.import_markdown(write_agent_file(FULL))
    await office.roster.change(hired.id, role="Other", name="Sarah")
    assert read_agent_file(await office.roster.export_markdown(hired.id)).others == FULL.others
    revisions = await office.roster.revisions(hired.id)
    assert read_agent_file(revisions[0].markdown).role == FULL.role
    with pytest.raises(Refused):
        await office.roster.change(hired.id, name=" ")
    with pytest.raises(Refused):
        await office.roster.add("lead")
    with pytest.raises(Refused, match="at most 100 characters"):
        await office.roster.add("x" * 101)
