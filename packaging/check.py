"""Every check that runs no test: style, types, import rules, file length, lock files, secrets.

Run by the Python of the environment: `.venv/bin/python packaging/check.py`. Exits 1 if anything is wrong.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONGEST_FILE = 400
LOCK_FILES = ("packaging/lock/*.txt", "tests/peers/package-lock.json")
ADDRESS = re.compile(r"\w+://|file:|\bgit\+|^-|\s@\s", re.MULTILINE)

# Kinds of keys that detect-secrets does not know, or knows too narrowly.
KEY_PATTERNS = {
    "Anthropic key": re.compile(r"sk-ant-[a-z]{2,6}\d{2}-[\w-]{20,}"),
    "OpenAI key": re.compile(r"sk-(?:proj|svcacct|admin)-[\w-]{20,}"),
    "Google key": re.compile(r"AIza[\w-]{35}"),
    "GitHub token": re.compile(r"gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{30,}"),
    "Slack token": re.compile(r"xox[abeoprs]-[\w-]{10,}"),
    "Telegram token": re.compile(r"\b\d{8,10}:[\w-]{35}\b"),
}
DETECTORS = (
    "AWSKeyDetector",
    "ArtifactoryDetector",
    "AzureStorageKeyDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "JwtTokenDetector",
    "MailchimpDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SendGridDetector",
    "SlackDetector",
    "SquareOAuthDetector",
    "StripeDetector",
    "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)
ALLOWED = "pragma: allowlist secret"


def tool(*words: str) -> Callable[[], list[str]]:
    """Make a check of a tool that is run with this Python and says what is wrong on its own."""

    def check() -> list[str]:
        outcome = subprocess.run(
            [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return [] if outcome.returncode == 0 else [(outcome.stdout + outcome.stderr).strip()]

    return check


def repository_files() -> list[Path]:
    """Return the files that are committed or about to be."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def long_files(files: Iterable[Path]) -> Iterator[str]:
    """Name every Python file that should be split."""
    for file in files:
        if file.suffix == ".py" and (count := file.read_bytes().count(b"\n")) > LONGEST_FILE:
            yield f"{file}: {count} lines; split it by subject, {LONGEST_FILE} are the most."


def lock_files(files: Iterable[Path]) -> list[Path]:
    """Return those of the files that lock something."""
    return [file for file in files if any(file.relative_to(ROOT).match(glob) for glob in LOCK_FILES)]


def addresses(files: Iterable[Path]) -> Iterator[str]:
    """Name every line of a lock file that says where a package comes from instead of what it is."""
    for file in files:
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if ADDRESS.search(line):
                yield f"{file}:{number}: a lock file holds versions and hashes, no address: {line.strip()}"


def known_keys(files: Iterable[Path]) -> Iterator[str]:
    """Name every line that looks like a real key of a kind we know; the key itself is not printed."""
    for file in files:
        try:
            lines = file.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # fonts and pictures
        for number, line in enumerate(lines, 1):
            if ALLOWED not in line:
                for kind, pattern in KEY_PATTERNS.items():
                    if pattern.search(line):
                        yield f"{file}:{number}: looks like a real {kind}."


def detected_secrets(files: Iterable[Path]) -> Iterator[str]:
    """Name every line in which detect-secrets sees a key."""
    from detect_secrets.core.secrets_collection import SecretsCollection
    from detect_secrets.settings import transient_settings

    with transient_settings({"plugins_used": [{"name": name} for name in DETECTORS]}):
        secrets = SecretsCollection()
        for file in files:
            secrets.scan_file(str(file))
        for name, secret in secrets:
            yield f"{name}:{secret.line_number}: looks like a real secret ({secret.type})."


def checks() -> dict[str, Callable[[], list[str]]]:
    """Return every check by name; each returns what is wrong."""
    files = repository_files()
    locks = lock_files(files)
    return {
        "ruff check": tool("-m", "ruff", "check", "."),
        "ruff format": tool("-m", "ruff", "format", "--check", "."),
        "mypy": tool("-m", "mypy"),
        "import rules": tool("-c", "from importlinter.cli import lint_imports_command as c; c()"),
        "file length": lambda: list(long_files(files)),
        "lock files": lambda: list(addresses(locks)) if locks else ["There is no lock file."],
        "secrets": lambda: [*known_keys(files), *detected_secrets(files)],
    }


def main() -> int:
    """Run every check, print what is wrong, and return 1 if anything is."""
    failed = []
    for name, check in checks().items():
        problems = check()
        print(f"{name}: {'wrong' if problems else 'good'}", flush=True)
        for problem in problems:
            print(problem, flush=True)
        if problems:
            failed.append(name)
    if failed:
        print(f"Not good: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
