"""Which embedder the office's vectors come from; known without loading it."""

EMBEDDER = "all-MiniLM-L6-v2-onnx-int8"
DIMENSIONS = 384
