"""moto as a fixture: an S3-compatible store over real HTTP on loopback.

It lives in an environment of its own (`<venv>/peers/moto`), because botocore and chromadb want different versions of
python-dateutil. It takes every signature, so signatures are held against botocore's own (`presigned`).
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ACCESS_KEY, SECRET = "testing", "testing-secret"
_PYTHON = Path(sys.prefix) / "peers" / "moto" / "bin" / "python"
_PATIENCE_SECONDS = 60.0
_PRESIGN = """
import json, sys
import boto3
from botocore.config import Config
asked = json.loads(sys.argv[1])
client = boto3.client("s3", endpoint_url=asked["endpoint"], region_name="us-east-1",
    aws_access_key_id=asked["access_key"], aws_secret_access_key=asked["secret"],
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
print(client.generate_presigned_url(asked["method"], Params=asked["parameters"], ExpiresIn=900))
"""


@contextlib.contextmanager
def store() -> Iterator[str]:
    """Run a store without buckets; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [_PYTHON, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("moto does not start; run `make test` again.") from None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with store() as found:
        yield found


def presigned(endpoint: str, method: str, **parameters: object) -> str:
    """Return the address that botocore signs for a method of its S3 client."""
    asked = {
        "endpoint": endpoint,
        "method": method,
        "parameters": parameters,
        "access_key": ACCESS_KEY,
        "secret": SECRET,
    }
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    command = [_PYTHON, "-c", _PRESIGN, json.dumps(asked)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
