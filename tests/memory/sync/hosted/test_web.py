"""The page for who lost the app: one strict cookie, no script, no other host."""

import re

import httpx2
import pytest

from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running


def _signed_in(service: Running, email: str) -> httpx2.Client:
    browser = httpx2.Client(base_url=service.url, follow_redirects=True, timeout=30)
    asked = browser.post("/web/sign-in", data={"email": email})
    assert "Look into your mail" in asked.text
    service.do_jobs()
    link = re.search(r"http://\S+/m/\S+", service.inbox.texts(email)[-1])
    assert link is not None
    for _ in range(3):  # a scanner opens the link first
        assert "Sign in here" in httpx2.get(link[0]).text
    page = browser.post("/web/redeem", data={"code": service.inbox.code(email)})
    assert page.status_code == 200 and page.url.path == "/account", page.text
    return browser


@pytest.mark.req("R092", "R183")
def test_there_is_one_strict_cookie_and_nothing_from_elsewhere(service: Running, ada: Device) -> None:
    anonymous = httpx2.get(service.url)
    assert "set-cookie" not in anonymous.headers
    asked = httpx2.post(f"{service.url}/web/sign-in", data={"email": ada.email})
    cookie = asked.headers["set-cookie"]
    assert cookie.startswith("bureau=") and "HttpOnly" in cookie and "SameSite=strict" in cookie
    browser = _signed_in(service, ada.email)
    assert list(browser.cookies.keys()) == ["bureau"]
    for path in ("/", "/account", "/privacy"):
        page = browser.get(path)
        policy = page.headers["content-security-policy"]
        bucket = service.service.settings.s3_endpoint  # the click on an export leads there
        assert policy.startswith("default-src 'none'")
        assert "http" not in policy.replace(f"form-action 'self' {bucket};", "")
        assert "<script" not in page.text
        hosts = set(re.findall(r"""(?:src|href|action)="(\w+://[^/"]+)""", page.text))
        assert hosts <= {service.url}
    browser.close()


@pytest.mark.req("R119", "R142", "R143")
def test_who_lost_the_app_sees_exports_deletes_and_restores(service: Running, ada: Device) -> None:
    ada.pushed(ada.sealed())
    browser = _signed_in(service, ada.email)
    assert "Encrypted records" in browser.get("/account").text
    made = browser.post("/account/export", data={"kind": "full"})
    link = re.search(r'href="(http[^"]+/x/[^"]+)"', made.text)
    assert link is not None
    service.do_jobs()
    assert browser.post(link[1]).content[:2] == b"PK"
    refused = browser.post("/account/delete", data={"confirmation": "no"})
    assert refused.status_code == 400
    object.__setattr__(service.service.settings, "grace_days", 1)
    page = browser.post("/account/delete", data={"confirmation": "Delete"})
    assert "everything will be deleted for good" in page.text
    until = ada.get("/v1/account/data-summary").json()["deletions"][0]["grace_until"]
    assert until - service.clock() >= 7 * 86_400_000
    page = browser.post("/account/restore")
    assert "everything will be deleted for good" not in page.text
    browser.post("/account/end-sessions")
    assert ada.get("/v1/spaces").status_code == 401
    assert browser.post("/account/sign-out").url.path == "/"
    assert browser.get("/account").status_code == 401
    browser.close()


def test_a_code_asked_for_elsewhere_and_forms_of_other_sites_are_refused(
    service: Running, ada: Device
) -> None:
    httpx2.post(f"{service.url}/web/sign-in", data={"email": ada.email})
    service.do_jobs()
    code = service.inbox.code(ada.email)
    other = httpx2.Client(base_url=service.url)
    assert other.post("/web/redeem", data={"code": code}).status_code == 401
    other.post("/web/sign-in", data={"email": "someone@example.org"})
    assert other.post("/web/redeem", data={"code": code}).status_code == 401
    other.close()
    browser = _signed_in(service, ada.email)
    forged = browser.post("/account/end-sessions", headers={"Origin": "https://evil.example"})
    assert forged.status_code == 403
    assert ada.get("/v1/spaces").status_code == 200
    browser.close()


def test_what_is_shown_is_escaped(service: Running) -> None:
    page = httpx2.get(f"{service.url}/m/%3Cscript%3Ealert(1)")
    assert "<script" not in page.text and "&lt;script" in page.text
