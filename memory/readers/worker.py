"""The reading worker: a child process that turns the files it is sent into documents.

Started by :mod:`memory.readers.workers` as ``python -I -c … ROOT LANGUAGE LIMITS PARENT``; it reads
requests on its standard input and answers on its standard output.
"""

import json
import mimetypes
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO

from memory.readers.confinement import Limits, allow_processor_seconds, confine
from memory.readers.document import Document, Section, sections_to_list
from memory.readers.errors import FileDamaged, ReadingError, ReadingOutOfMemory, error_to_dict
from memory.readers.wire import receive, send
from resources.language import choose_language

_MESSAGE_CHARACTERS = 500_000


def main(language: str, limits_json: str, parent: str) -> None:
    """Serve until the office closes the pipe or a file has used up the memory."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # what a library prints must not get between the answers
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    limits = Limits(**json.loads(limits_json))
    choose_language(language)
    mimetypes.knownfiles.clear()  # openpyxl asks for them, and they are out of reach
    sys.modules["numpy"] = None  # type: ignore[assignment]  # openpyxl would load it, with a pool of threads
    confinement = confine(limits, int(parent), _library_folders())
    import pypdfium2  # noqa: F401  # the format that is read most is warm before the first file

    send(answers, {"ready": asdict(confinement)})
    while (request := receive(requests)) is not None:
        if not _serve(requests, answers, request, limits):
            return


def _library_folders() -> list[Path]:
    """Return the folders that Python and its libraries are loaded from."""
    folders = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), Path("/lib"), Path("/lib64")}
    folders |= {Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/share/zoneinfo")}
    folders |= {Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))}
    for package in ("memory", "resources"):
        found = sys.modules[package].__file__
        if found:
            folders.add(Path(found).parent)
    return sorted(folders)


def _serve(requests: BinaryIO, answers: BinaryIO, request: dict[str, object], limits: Limits) -> bool:
    """Answer one request; return whether the process is fit for another."""
    name, size = str(request.get("name")), request.get("size")
    if not isinstance(size, int):
        return False
    allow_processor_seconds(limits.processor_seconds)
    fit = True
    try:
        content = requests.read(size)
        if len(content) < size:
            return False
        answer = _answer(content, name)
        content = b""
        for message in _messages(answer):
            send(answers, message)
    except MemoryError:
        fit = False
        send(answers, {"error": error_to_dict(ReadingOutOfMemory(name, str(limits.memory_megabytes)))})
    return fit


def _messages(answer: Document | ReadingError) -> Iterator[dict[str, object]]:
    """Yield the answer in messages of about a megabyte; the last one says so."""
    if isinstance(answer, ReadingError):
        yield {"error": error_to_dict(answer)}
        return
    head = replace(answer, sections=()).to_dict()
    batch: list[Section] = []
    size = 0
    for section in answer.sections:
        batch.append(section)
        size += len(section.text)
        if size > _MESSAGE_CHARACTERS:
            yield {**head, "sections": sections_to_list(batch), "last": False}
            batch, size = [], 0
    yield {**head, "sections": sections_to_list(batch), "last": True}


def _answer(content: bytes, name: str) -> Document | ReadingError:
    from memory.readers.reading import read_document

    try:
        return read_document(content, name)
    except ReadingError as error:
        return error
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a parser makes of a hostile file is that file's fault
        refusal = FileDamaged(name)
        refusal.__cause__ = error
        return refusal
