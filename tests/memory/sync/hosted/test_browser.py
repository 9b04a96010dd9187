"""The page in a real browser, as somebody uses it who lost the app."""

import re
import zipfile

import pytest

from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running
from tests.peers.browser import Browser


@pytest.mark.slow
@pytest.mark.req("R092", "R119", "R183")
def test_somebody_who_lost_the_app_comes_back_exports_deletes_and_restores(
    service: Running, ada: Device, browser: Browser
) -> None:
    ada.pushed(ada.sealed())
    browser.open(service.url)
    assert browser.cookies() == []
    browser.type("#email", ada.email)
    browser.press("button")
    assert "Look into your mail" in browser.text()
    service.do_jobs()
    link = re.search(r"http://\S+/m/\S+", service.inbox.texts(ada.email)[-1])
    assert link is not None
    browser.open(link[0])
    browser.press("button")
    assert browser.address() == f"{service.url}/account"
    assert "Encrypted records" in browser.text()
    (cookie,) = browser.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("bureau", True, "Strict")
    # The style sheet is applied although the policy allows nothing else, and nothing came from elsewhere.
    assert browser.run("return getComputedStyle(document.querySelector('main')).maxWidth") == "672px"
    loaded = browser.run("return performance.getEntriesByType('resource').map(each => each.name)")
    assert all(name.startswith(service.url) for name in loaded)
    browser.press("form:has(input[value=full]) button")
    token = browser.run("return document.querySelector('code').innerText")
    service.do_jobs()
    browser.open(token)
    browser.press("button", stays=True)
    assert zipfile.is_zipfile(browser.downloaded())
    browser.open(f"{service.url}/account")
    browser.type("#confirmation", "delete")
    browser.press("button.danger")
    assert "everything will be deleted for good" in browser.text()
    assert ada.get("/v1/account/data-summary").json()["state"] == "deletion_pending"
    browser.press("form[action='/account/restore'] button")
    assert "everything will be deleted for good" not in browser.text()
    browser.press("form[action='/account/sign-out'] button")
    assert browser.address() == f"{service.url}/"
    browser.open(f"{service.url}/account")
    assert "Sign in again" in browser.text()
