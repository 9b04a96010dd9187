"""``make bench``: every figure, one line each; exits with 1 if one misses its must.

Each subject is measured in a process of its own, one after the other, on an otherwise quiet machine.
``python -m tests.bench window runtime`` measures only these.
"""

import subprocess
import sys

from tests.bench.figures import is_figure, missed

SUBJECTS = {
    "window": "tests.bench.window_bench",
    "transcript": "tests.bench.transcript_bench",
    "runtime": "tests.bench.runtime_bench",
    "recall": "tests.bench.recall_bench",
    "answer": "tests.bench.answer_bench",
    "erasure": "tests.bench.erasure_bench",
    "transfer": "tests.bench.transfer_bench",
    "imports": "tests.bench.imports_bench",
    "sealing": "tests.bench.sealing_bench",
    "hosted": "tests.bench.hosted_bench",
    "sync": "tests.bench.sync_bench",
    "files": "tests.bench.files_bench",
}


def main() -> int:
    """Measure the named subjects, or all."""
    chosen = sys.argv[1:] or list(SUBJECTS)
    if unknown := [name for name in chosen if name not in SUBJECTS]:
        print(f"There is no subject {unknown[0]}: choose among {', '.join(SUBJECTS)}.", file=sys.stderr)
        return 2
    late: list[str] = []
    for name in chosen:
        figures = 0
        with subprocess.Popen(
            [sys.executable, "-m", SUBJECTS[name]], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                figures += is_figure(line)
                if missed(line):
                    late.append(line.split(" ")[0])
        if process.returncode != 0 or not figures:
            print(f"{name} could not be measured (exit code {process.returncode}, {figures} figures).")
            late.append(name)
    if late:
        print(f"Missed: {', '.join(late)}.")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
