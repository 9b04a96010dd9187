"""The lock files install the same thing everywhere: complete, hashed, and free of addresses."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "packaging" / "lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SYSTEMS = [
    {"sys_platform": "linux", "platform_machine": "x86_64", "platform_system": "Linux"},
    {"sys_platform": "linux", "platform_machine": "aarch64", "platform_system": "Linux"},
    {"sys_platform": "darwin", "platform_machine": "arm64", "platform_system": "Darwin"},
    {"sys_platform": "win32", "platform_machine": "AMD64", "platform_system": "Windows"},
]


def entries(name: str) -> list[tuple[Requirement, list[str]]]:
    found: list[tuple[Requirement, list[str]]] = []
    for line in (LOCK / f"{name}.txt").read_text("utf-8").splitlines():
        if not line.startswith(" "):
            found.append((Requirement(line.rstrip("\\ ")), []))
        else:
            found[-1][1].append(line.strip().rstrip("\\ "))
    return found


@pytest.mark.parametrize("name", ["run", "develop", "hosted", "moto"])
def test_every_entry_is_one_version_with_hashes_and_no_address(name: str) -> None:
    assert entries(name)
    for requirement, hashes in entries(name):
        assert requirement.url is None
        assert re.fullmatch(r"==[\w.+!-]+", str(requirement.specifier)), str(requirement)
        assert hashes and all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", value) for value in hashes)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: "-".join(list(system.values())[:2]))
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_every_dependency_is_locked_once_on_every_system(system: dict[str, str], python: str) -> None:
    environment = {**system, "python_version": python, "python_full_version": f"{python}.7"}
    environment |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    environment["os_name"] = "nt" if system["sys_platform"] == "win32" else "posix"
    versions: dict[str, str] = {}
    for requirement, _hashes in entries("run") + entries("develop"):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonicalize_name(requirement.name)
            assert name not in versions, f"{name} is locked twice"
            versions[name] = str(requirement.specifier).removeprefix("==")
    for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["develop"]:
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate(environment):
            continue
        locked = versions.get(canonicalize_name(wanted.name))
        assert locked is not None, f"{wanted.name} is not locked; run `make lock`"
        assert wanted.specifier.contains(locked, prereleases=True), f"{wanted} is locked at {locked}"


def test_node_packages_are_hashed_and_name_no_address() -> None:
    text = (ROOT / "tests" / "peers" / "package-lock.json").read_text("utf-8")
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in entry for path, entry in packages.items() if path)
    assert any(path.endswith("@copilotkit/aimock") for path in packages)
