"""``bureau`` as a script would run it: in processes of its own, on an office of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

KEY = "test-key-0123456789-abcdefghij"
ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "import sys; from desktop.command_line import main; sys.exit(main())"]
SLOW = {
    "match": {"userMessage": "slowly"},
    "response": {"content": "one two three four five six seven eight nine ten " * 8},
    "latency": 60,
    "chunkSize": 8,
}
CLOCK = {"match": {"toolName": "clock"}, "response": {"toolCalls": [{"name": "clock", "arguments": "{}"}]}}
ANSWER = {
    "match": {},
    "response": {"content": "The quay is 6.4 m deep.", "usage": {"input_tokens": 9, "output_tokens": 8}},
}


class Terminal:
    """Runs ``bureau`` on one office of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "office"
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text("correct horse battery\n")
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.options = ["--home", str(self.home), "--passphrase-file", str(self.passphrase)]

    def start(self, *words: str, options: list[str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*PROGRAM, *(self.options if options is None else options), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=ROOT,
        )

    def run(self, *words: str, stdin: str = "", options: list[str] | None = None) -> tuple[int, str, str]:
        with self.start(*words, options=options) as process:
            output, errors = process.communicate(stdin, timeout=120)
        return process.returncode, output, errors

    def value(self, *words: str, stdin: str = "") -> object:
        code, output, errors = self.run("--json", *words, stdin=stdin)
        assert code == 0, errors
        return json.loads(output)
