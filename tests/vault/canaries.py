"""A child process that puts planted secrets through every path on which Python prints by itself.

`python -m tests.vault.canaries PATH_NAME CRASH_FILE`; the secret comes on stdin, so it is in no argument.
"""

import logging
import logging.handlers
import sys
import threading
import types
import warnings
from pathlib import Path

from vault.redaction import RedactingFilter, install, qt_message
from vault.secret import Secret

PROTECTED = False


class Talkative:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"<Talkative {self.text}>"


class Unraisable(Talkative):
    def __del__(self) -> None:
        raise RuntimeError(f"in a finaliser: {self.text}")


def message(text: str) -> None:
    logging.getLogger("canary").warning(f"canary {text}")


def arguments(text: str) -> None:
    logging.getLogger("canary").warning("canary %s %r %d", text, text, 7)


def mapping_argument(text: str) -> None:
    logging.getLogger("canary").warning("canary %(key)s", {"key": text})


def object_argument(text: str) -> None:
    logging.getLogger("canary").warning("canary %s %r", Talkative(text), [Talkative(text)])


def wrong_format(text: str) -> None:
    logging.getLogger("canary").warning("canary %s %s %s", text)


def split_between_message_and_argument(text: str) -> None:
    logging.getLogger("canary").warning(f"canary {text[:9]}%s", text[9:])


def exception(text: str) -> None:
    try:
        raise ValueError(f"canary {text}") from KeyError(text)
    except ValueError:
        logging.getLogger("canary").exception("failed")


def stack(text: str) -> None:
    source = f"import logging; logging.getLogger('canary').warning('canary', stack_info=True)  # {text}"
    import linecache

    linecache.cache["<canary>"] = (len(source), None, [source], "<canary>")
    exec(compile(source, "<canary>", "exec"))


def extra(text: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s %(url)s %(headers)s %(thing)s"))
    if PROTECTED:
        handler.addFilter(RedactingFilter())
    logger = logging.getLogger("canary.extra")
    logger.addHandler(handler)
    logger.propagate = False
    logger.warning(
        "canary", extra={"url": text, "headers": {"x": [text, (text, 1)]}, "thing": Talkative(text)}
    )


def extra_on_the_root(text: str) -> None:
    root = logging.getLogger().handlers[0]
    root.setFormatter(logging.Formatter("%(message)s %(url)s"))
    logging.getLogger("canary").warning("canary", extra={"url": text})


def queue_handler(text: str) -> None:
    import queue

    records: queue.Queue[logging.LogRecord] = queue.Queue()
    handler = logging.handlers.QueueHandler(records)
    logger = logging.getLogger("canary.queue")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("canary %s", text)
    record = records.get()
    print(vars(record), file=sys.stderr)


def last_resort(text: str) -> None:
    logging.getLogger().handlers.clear()
    logging.getLogger("canary").error("canary %s", text)


def uncaught(text: str) -> None:
    raise ValueError(f"canary {text}")


def uncaught_without_a_console(text: str) -> None:
    logging.getLogger().handlers[0].setStream(sys.stdout)
    sys.stderr = None
    if PROTECTED:
        raise ValueError(f"canary {text}")
    logging.getLogger("canary").error("%s", text)


def uncaught_group(text: str) -> None:
    raise ExceptionGroup(f"canary {text}", [ValueError(text), TypeError(text)])


def uncaught_note(text: str) -> None:
    error = ValueError("canary")
    error.add_note(text)
    raise error


def thread(text: str) -> None:
    worker = threading.Thread(target=uncaught, args=(text,), name=f"canary {text}")
    worker.start()
    worker.join()


def unraisable(text: str) -> None:
    Unraisable(text)
    print("canary", file=sys.stderr)


def warning(text: str) -> None:
    warnings.warn(f"canary {text}", UserWarning, stacklevel=1)


def captured_warning(text: str) -> None:
    logging.captureWarnings(True)
    warnings.warn(f"canary {text}", UserWarning, stacklevel=1)


def loop_exception(text: str) -> None:
    import asyncio

    async def main() -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"canary {text}", "exception": ValueError(text), "task": Talkative(text)}
        )

    asyncio.run(main())


def qt(text: str) -> None:
    mode, context = types.SimpleNamespace(name="QtWarningMsg"), types.SimpleNamespace(category="qt.canary")
    qt_message(mode, context, f"canary {text}")


def crash(text: str) -> None:
    import faulthandler

    print("canary", file=sys.stderr, flush=True)
    key = text
    faulthandler._sigabrt()
    print(key)


def url_library(text: str) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    import httpx2

    print("canary", file=sys.stderr)
    with httpx2.Client(transport=httpx2.MockTransport(lambda request: httpx2.Response(200))) as client:
        client.get("https://localhost/v1", params={"key": text, "other": f"a{text}b"})


PATHS = {
    function.__name__: function
    for function in (
        message,
        arguments,
        mapping_argument,
        object_argument,
        wrong_format,
        split_between_message_and_argument,
        exception,
        stack,
        extra,
        extra_on_the_root,
        queue_handler,
        last_resort,
        uncaught,
        uncaught_without_a_console,
        uncaught_group,
        uncaught_note,
        thread,
        unraisable,
        warning,
        captured_warning,
        loop_exception,
        qt,
        crash,
        url_library,
    )
}

if __name__ == "__main__":
    name, crash_file, protected = sys.argv[1:]
    PROTECTED = protected == "yes"
    secret = Secret(sys.stdin.read())
    logging.basicConfig(format="%(message)s")
    if PROTECTED:
        install(Path(crash_file))
    PATHS[name](secret.reveal())
