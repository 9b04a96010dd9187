"""Debian's Chromium, driven over W3C WebDriver: a real person's browser for the pages of the hosted service.

def test_it(browser):
    browser.open(url); browser.type("#email", "ada@example.org"); browser.press("button")
    assert "Look into your mail" in browser.text()
"""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_PATIENCE_SECONDS = 60.0


class Browser:
    """One window of Chromium; what it downloads goes to ``downloads``."""

    def __init__(self, driver: str, downloads: Path) -> None:
        self._http = httpx2.Client(base_url=driver, timeout=_PATIENCE_SECONDS)
        self.downloads = downloads
        arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en"]
        arguments.append(f"--user-data-dir={downloads.parent / 'profile'}")
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            arguments.append("--no-sandbox")  # Chromium's own sandbox refuses to be root
        options = {"args": arguments, "prefs": {"download.default_directory": str(downloads)}}
        wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        answer = self._http.post("/session", json={"capabilities": wanted}).json()["value"]
        self._session = f"/session/{answer['sessionId']}"

    def _call(self, method: str, path: str, **body: Any) -> Any:
        answer = self._http.request(method, self._session + path, json=body if method == "POST" else None)
        value = answer.json()["value"]
        assert answer.status_code == 200, value
        return value

    def open(self, url: str) -> None:
        self._call("POST", "/url", url=url)

    def address(self) -> str:
        return str(self._call("GET", "/url"))

    def text(self) -> str:
        return str(self.run("return document.body.innerText"))

    def run(self, script: str) -> Any:
        return self._call("POST", "/execute/sync", script=script, args=[])

    def _find(self, selector: str) -> str:
        found: str = self._call("POST", "/element", using="css selector", value=selector)[_ELEMENT]
        return found

    def type(self, selector: str, text: str) -> None:
        self._call("POST", f"/element/{self._find(selector)}/value", text=text)

    def press(self, selector: str, *, stays: bool = False) -> None:
        """Click on something and wait for the page that this leads to, unless the present one stays."""
        self.run("window.former = true")
        self._call("POST", f"/element/{self._find(selector)}/click")
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not stays and not self.run("return !window.former && document.readyState === 'complete'"):
            assert time.monotonic() < deadline, f"{selector} leads nowhere"
            time.sleep(0.02)

    def cookies(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/cookie")
        return found

    def downloaded(self) -> Path:
        """Return the one file that was downloaded, once it is whole."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            files = [each for each in self.downloads.iterdir() if each.suffix != ".crdownload"]
            if files and not files[0].name.startswith("."):  # Chromium writes to a hidden name first
                return files[0]
            assert time.monotonic() < deadline, files
            time.sleep(0.05)

    def close(self) -> None:
        with contextlib.suppress(httpx2.HTTPError):
            self._call("DELETE", "")
        self._http.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    downloads = tmp_path / "browser" / "downloads"
    downloads.mkdir(parents=True)
    command = ["chromedriver", f"--port={port}", "--allowed-ips=127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    opened: Browser | None = None
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None and time.monotonic() < deadline, "chromedriver does not start"
            time.sleep(0.05)
        opened = Browser(f"http://127.0.0.1:{port}", downloads)
        yield opened
    finally:
        if opened is not None:
            opened.close()
        process.terminate()
        process.wait(30)
