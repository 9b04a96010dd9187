"""OfficeSync v1 a second time, written from the protocol's document and sharing no line with `memory.sync`.

Its bytes are those of `vectors.json` (``python -m tests.memory.sync.second.write_vectors`` writes them), and the tests
let each implementation open what the other sealed.
"""
