"""What a file is, told from its content; its name only decides between kinds of plain text."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath

HEAD = 256 * 1024
TAIL = 256 * 1024


class Format(StrEnum):
    """The kinds of file that are told apart."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CODE = "code"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    CSV = "csv"
    PPTX = "pptx"
    IMAGE = "image"
    EMPTY = "empty"
    ENCRYPTED_OFFICE = "encrypted-office"
    OLD_OFFICE = "old-office"
    OTHER_OFFICE = "other-office"
    ARCHIVE = "archive"
    BINARY = "binary"

    @property
    def readable(self) -> bool:
        """Whether a document can be made of it (an image gives a document without text)."""
        return self not in _UNREADABLE


_UNREADABLE = {
    Format.EMPTY,
    Format.ENCRYPTED_OFFICE,
    Format.OLD_OFFICE,
    Format.OTHER_OFFICE,
    Format.ARCHIVE,
    Format.BINARY,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A file's format, its media type and, for source code, the language."""

    name: Format
    media_type: str
    language: str = ""


_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."

_LANGUAGES = {
    ".py": "python", ".pyi": "python", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript",
    ".jsx": "jsx", ".ts": "typescript", ".tsx": "tsx", ".java": "java", ".kt": "kotlin", ".scala": "scala",
    ".c": "c", ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp", ".cs": "csharp",
    ".go": "go", ".rs": "rust", ".rb": "ruby", ".php": "php", ".swift": "swift", ".m": "objective-c",
    ".sh": "bash", ".bash": "bash", ".zsh": "bash", ".fish": "fish", ".ps1": "powershell", ".bat": "batch",
    ".sql": "sql", ".r": "r", ".jl": "julia", ".lua": "lua", ".pl": "perl", ".pm": "perl", ".hs": "haskell",
    ".ml": "ocaml", ".ex": "elixir", ".exs": "elixir", ".erl": "erlang", ".clj": "clojure", ".dart": "dart",
    ".css": "css", ".scss": "scss", ".less": "less", ".xml": "xml", ".svg": "xml", ".json": "json",
    ".jsonl": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".ini": "ini", ".cfg": "ini",
    ".tex": "latex", ".bib": "bibtex", ".cmake": "cmake", ".gradle": "groovy", ".groovy": "groovy",
    ".proto": "protobuf", ".graphql": "graphql", ".vue": "vue", ".diff": "diff", ".patch": "diff",
    ".f90": "fortran", ".asm": "nasm", ".s": "gas", ".zig": "zig", ".nim": "nim", ".tf": "terraform",
}  # fmt: skip
_NAMED_FILES = {"makefile": "make", "dockerfile": "docker", "cmakelists.txt": "cmake"}
_SHEBANG = re.compile(r"^#!\s*(?:\S*/)?([a-z]+)[\d.]*(?:\s+(?:-\S+\s+)*([a-z]+)[\d.]*)?")
_INTERPRETERS = {"python": "python", "sh": "bash", "bash": "bash", "zsh": "bash", "node": "javascript",
                 "perl": "perl", "ruby": "ruby", "php": "php", "lua": "lua"}  # fmt: skip
_MARKDOWN_NAMES = {".md", ".markdown", ".mdown", ".mkd"}
_TABLE_NAMES = {".csv", ".tsv", ".tab"}
_MARKDOWN_SIGNS = (
    re.compile(r"^#{1,6} \S", re.MULTILINE),
    re.compile(r"^(```|~~~)", re.MULTILINE),
    re.compile(r"\[[^\]\n]+\]\([^)\s]+\)"),
    re.compile(r"^(?:[-*+] \S|\d+\. \S)", re.MULTILINE),
    re.compile(r"^\|.+\|\s*$\n^\|[ :|-]+\|\s*$", re.MULTILINE),
)
_HTML_SIGN = re.compile(
    r"<(?:!doctype\s+html|html|head|body|article|section|div|table|h[1-6]|p)[\s>]", re.IGNORECASE
)


def recognise(path: Path) -> Kind:
    """Return what the file is, from its first and last part; raises OSError where it cannot be opened."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
        size = stream.seek(0, 2)
        stream.seek(max(len(head), size - TAIL))
        tail = stream.read(TAIL)
    return recognise_content(head, tail, path.name)


def recognise_content(head: bytes, tail: bytes, name: str) -> Kind:
    """Return what a file is from its first and last bytes (``tail`` is empty where ``head`` is all of it)."""
    if not head:
        return Kind(Format.EMPTY, "application/x-empty")
    if b"%PDF-" in head[:1024] and head.lstrip()[:1] != b"<":
        return Kind(Format.PDF, "application/pdf")
    return _image(head) or _package(head, tail) or _other_binary(head) or _text(head, name)


def _image(head: bytes) -> Kind | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind(Format.IMAGE, "image/png")
    if head.startswith(b"\xff\xd8\xff"):
        return Kind(Format.IMAGE, "image/jpeg")
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Kind(Format.IMAGE, "image/gif")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Kind(Format.IMAGE, "image/webp")
    return None


def _package(head: bytes, tail: bytes) -> Kind | None:
    """Tell the formats apart that are kept in a ZIP archive, by the names in it."""
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return None
    names = head + tail
    if b"[Content_Types].xml" in names or b"_rels/.rels" in names:
        if b"word/document.xml" in names:
            return Kind(Format.DOCX, _OPEN_XML + "wordprocessingml.document")
        if b"xl/workbook.xml" in names:
            return Kind(Format.XLSX, _OPEN_XML + "spreadsheetml.sheet")
        if b"ppt/presentation.xml" in names:
            return Kind(Format.PPTX, _OPEN_XML + "presentationml.presentation")
        if b"xl/workbook.bin" in names:
            return Kind(Format.OTHER_OFFICE, "application/vnd.ms-excel.sheet.binary.macroenabled.12")
    declared = re.match(rb"mimetype(application/[a-z0-9.+-]+)", head[30:130])
    if declared:
        media_type = declared[1].decode("ascii").removesuffix("PK")
        if media_type.startswith(_OPEN_DOCUMENT) or media_type.startswith("application/epub"):
            return Kind(Format.OTHER_OFFICE, media_type)
    return Kind(Format.ARCHIVE, "application/zip")


_ARCHIVES = (
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
)


def _other_binary(head: bytes) -> Kind | None:
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if "EncryptedPackage".encode("utf-16-le") in head:
            return Kind(Format.ENCRYPTED_OFFICE, "application/x-ole-storage")
        return Kind(Format.OLD_OFFICE, "application/x-ole-storage")
    if head.startswith(b"{\\rtf"):
        return Kind(Format.OTHER_OFFICE, "application/rtf")
    for magic, media_type in _ARCHIVES:
        if head.startswith(magic):
            return Kind(Format.ARCHIVE, media_type)
    if head[257:262] == b"ustar":
        return Kind(Format.ARCHIVE, "application/x-tar")
    if not looks_like_text(head):
        return Kind(Format.BINARY, "application/octet-stream")
    return None


def looks_like_text(head: bytes) -> bool:
    """Return whether the bytes can be text: no NUL outside UTF-16 and UTF-32, few control bytes."""
    sample = head[:65536]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")) or wide_encoding(sample):
        return True
    if b"\x00" in sample:
        return False
    control = sum(sample.count(bytes([byte])) for byte in range(32) if byte not in b"\t\n\r\f\x1b\x08")
    return control <= len(sample) * 0.02


def wide_encoding(sample: bytes) -> str:
    """Return ``utf-16-le`` or ``utf-16-be`` where NULs stand in every second byte, else an empty string."""
    if len(sample) < 4:
        return ""
    even, odd = sample[:4096:2], sample[1:4096:2]
    if odd.count(0) > len(odd) * 0.6 and even.count(0) < len(even) * 0.1:
        return "utf-16-le"
    if even.count(0) > len(even) * 0.6 and odd.count(0) < len(odd) * 0.1:
        return "utf-16-be"
    return ""


def _text(head: bytes, name: str) -> Kind:
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else wide_encoding(head) or "utf-8-sig"
    text = head[:65536].decode(encoding, errors="replace")
    start = text.lstrip()[:2000]
    suffix = PurePath(name).suffix.lower()
    language = _LANGUAGES.get(suffix) or _NAMED_FILES.get(name.lower(), "") or _interpreter(start)
    if language and not (language == "xml" and _is_html(start)):
        return Kind(Format.CODE, _code_media_type(language, suffix), language)
    if _is_html(start):
        return Kind(Format.HTML, "text/html")
    if suffix in _MARKDOWN_NAMES:
        return Kind(Format.MARKDOWN, "text/markdown")
    if suffix in _TABLE_NAMES or (suffix not in {".txt", ".log"} and table_delimiter(text)):
        return Kind(Format.CSV, "text/tab-separated-values" if table_delimiter(text) == "\t" else "text/csv")
    if start.startswith("<?xml"):
        return Kind(Format.CODE, "text/xml", "xml")
    if suffix != ".txt" and sum(bool(sign.search(text)) for sign in _MARKDOWN_SIGNS) >= 2:
        return Kind(Format.MARKDOWN, "text/markdown")
    return Kind(Format.TEXT, "text/plain")


def _is_html(start: str) -> bool:
    if not start.startswith("<"):
        return False
    if start.startswith("<?xml"):
        return re.search(r"<html[\s>]", start, re.IGNORECASE) is not None
    while start.startswith("<!--") and "-->" in start:
        start = start[start.index("-->") + 3 :].lstrip()
    return _HTML_SIGN.match(start) is not None


def _interpreter(start: str) -> str:
    match = _SHEBANG.match(start)
    if match is None:
        return ""
    return _INTERPRETERS.get(match[2] or "", "") or _INTERPRETERS.get(match[1], "")


def _code_media_type(language: str, suffix: str) -> str:
    if suffix == ".svg":
        return "image/svg+xml"
    return {"json": "application/json", "xml": "text/xml", "yaml": "application/yaml"}.get(
        language, f"text/x-{language}"
    )


def table_delimiter(text: str) -> str:
    """Return the delimiter that cuts the first lines into the same number of cells, or an empty string."""
    lines = [line for line in text.splitlines()[:30] if line.strip()]
    if len(lines) > 3:
        lines = lines[:-1]  # the last may be cut
    if len(lines) < 2:
        return ""
    for delimiter in ("\t", ";", ",", "|"):
        counts = [_unquoted(line).count(delimiter) for line in lines]
        if min(counts) >= 1 and max(counts) == min(counts) and (counts[0] >= 2 or delimiter != ","):
            return delimiter
    return ""


def _unquoted(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)
