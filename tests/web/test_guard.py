"""What a server refuses, and what it lets nobody see."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from karvan.errors import DataError
from karvan.web.app import create_app
from karvan.web.guard import MOST_BODY_BYTES, cookie_name
from karvan.web.server import Server
from karvan.web.settings import Settings, is_loopback, read_password
from tests.web.conftest import PORT

PASSWORD = "twelve letters and more"
HERE = f"http://127.0.0.1:{PORT}"
CHANGES = [
    ("POST", "/api/jobs"),
    ("DELETE", "/api/jobs/0123456789abcdef"),
    ("POST", "/api/jobs/0123456789abcdef/resume"),
    ("PATCH", "/api/runs/0123456789ab"),
    ("DELETE", "/api/runs/0123456789ab"),
    ("POST", "/api/runs/0123456789ab/restore"),
    ("POST", "/api/live"),
]
WORK = ["/api/runs/0123456789ab/ladder", "/api/runs/0123456789ab/select-link?element=x", "/api/runs/0123456789ab/market?market=x"]


@pytest.fixture
def stranger(opened):
    """A browser that was not opened by the printed address."""
    with_no_token = TestClient(create_app(opened.server, files={}), base_url=HERE, raise_server_exceptions=False)
    yield with_no_token
    with_no_token.close()


def test_only_the_own_names_are_answered(opened):
    assert opened.client.get("/api/session").status_code == 200
    for host in (f"localhost:{PORT}", f"LOCALHOST:{PORT}", f"[::1]:{PORT}"):
        assert opened.client.get("/api/session", headers={"Host": host}).status_code == 200
    for host in (
        "evil.example",
        f"evil.example:{PORT}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"127.0.0.1.evil.example:{PORT}",
        "",
        f"10.0.0.1:{PORT}",
        "a:b:c",
    ):
        answered = opened.client.get("/api/session", headers={"Host": host})
        assert answered.status_code == 400, host
        assert "Host" in answered.json()["problems"][0]["message"]


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_no_change_without_the_token(stranger, opened, method, path):
    for headers in ({}, {"X-Karvan-Token": "guess"}, {"X-Karvan-Token": ""}, {"Cookie": f"{cookie_name(PORT)}=guess"}):
        assert stranger.request(method, path, json={}, headers=headers).status_code == 401
    # the cookie alone is what a forged form would bring along
    cookie = {"Cookie": f"{cookie_name(PORT)}={opened.server.sessions.launch_token}"}
    assert stranger.request(method, path, json={}, headers=cookie).status_code == 401
    assert opened.client.request(method, path, json={}).status_code in (202, 404, 422)


@pytest.mark.parametrize("path", WORK)
def test_no_work_without_the_token(stranger, opened, path):
    assert stranger.get(path).status_code == 401
    assert opened.client.get(path).status_code == 404


def test_reading_needs_no_token_on_this_machine(stranger):
    assert stranger.get("/api/runs").status_code == 200
    assert stranger.get("/api/session").json() | {"version": ""} == {
        "version": "", "corridor": "two-ports", "title": "Two Ports", "token": None, "may_change": False, "needs_password": False,
    }  # fmt: skip


def test_the_printed_address_gives_a_cookie_that_scripts_cannot_read(stranger, opened):
    token = opened.server.sessions.launch_token
    led = stranger.get("/", params={"token": token}, follow_redirects=False)
    assert (led.status_code, led.headers["location"]) == (303, "/")
    cookie = led.headers["set-cookie"]
    assert cookie.startswith(f"{cookie_name(PORT)}={token};")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert stranger.get("/api/session").json()["token"] == token
    assert "set-cookie" not in stranger.get("/", params={"token": "guess"}, follow_redirects=False).headers


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"https://127.0.0.1.evil.example:{PORT}", "http://127.0.0.1:1"])
def test_other_sites_are_refused(opened, origin):
    assert opened.client.post("/api/jobs", json={}, headers={"Origin": origin}).status_code == 403
    assert opened.client.get("/api/runs", headers={"Origin": origin}).status_code == 403


def test_requests_that_the_browser_marks_as_foreign_are_refused(opened):
    assert opened.client.get("/api/runs", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert opened.client.get("/api/runs", headers={"Sec-Fetch-Site": "same-origin", "Origin": HERE}).status_code == 200
    assert opened.client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200  # a link from elsewhere may open the page


def test_no_other_site_may_read_an_answer(opened):
    answered = opened.client.get("/api/runs")
    assert not [name for name in answered.headers if name.startswith("access-control")]
    assert answered.headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe-eval" not in answered.headers["content-security-policy"]
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert answered.headers["x-frame-options"] == "DENY"
    assert answered.headers["referrer-policy"] == "no-referrer"
    assert answered.headers["cache-control"] == "no-store"
    assert "server" not in answered.headers


def test_large_bodies_are_refused(opened):
    large = b'{"name": "' + b"a" * MOST_BODY_BYTES + b'"}'
    assert opened.client.post("/api/jobs", content=large).status_code == 413

    def parts():
        for _ in range(3):
            yield b"a" * (MOST_BODY_BYTES // 2)

    assert opened.client.post("/api/jobs", content=parts()).status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/api/runs/..%2f..%2fetc/screen", "/api/runs/%2e%2e/screen", "/api/runs/....//screen", "/api/runs/0123456789ab%00/screen",
        "/api/runs/0123456789ab/tables/..%2f..%2fmanifest", "/api/runs/0123456789ab/tables/manifest.json", "/api/jobs/..%2fnames",
        "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/static/..%2fpage.py", "/static/%2e%2e/page.py",
        "/static/app.js%00.png", "/C:%5Cboot.ini",
    ],
)  # fmt: skip
def test_no_path_of_a_request_reaches_the_disk(opened, path):
    answered = opened.client.get(path)
    assert answered.status_code in (404, 422), answered.text
    assert "root:" not in answered.text


def test_methods_that_nobody_needs_are_refused(opened):
    for method in ("PUT", "OPTIONS", "TRACE"):
        assert opened.client.request(method, "/api/runs").status_code == 405


def test_a_fault_is_told_without_its_trace(opened, monkeypatch):
    def broken():
        raise ZeroDivisionError("the secret of the house")

    monkeypatch.setattr(opened.server.shelf, "runs", broken)
    answered = opened.client.get("/api/runs")
    assert answered.status_code == 500
    assert "secret" not in answered.text
    assert "our fault" in answered.json()["problems"][0]["message"]


def test_the_files_of_the_page_are_those_of_a_list(opened, tmp_path):
    (tmp_path / "app.html").write_text("<p>the page</p>", encoding="utf-8")
    (tmp_path / "app.js").write_text("1", encoding="utf-8")
    from karvan.web.page import page_files

    client = TestClient(create_app(opened.server, files=page_files(tmp_path)), base_url=HERE)
    assert client.get("/").text == "<p>the page</p>"
    assert client.get("/static/app.js").headers["content-type"].startswith("text/javascript")
    (tmp_path / "late.txt").write_text("not listed", encoding="utf-8")
    assert client.get("/static/late.txt").status_code == 404
    client.close()


def test_without_a_built_page_it_says_how_to_build_it(opened):
    assert "make ui" in opened.client.get("/").text


@pytest.fixture
def remote(tmp_path):
    settings = Settings(
        corridor="two-ports", runs=tmp_path / "runs", host="0.0.0.0", is_remote=True, password=PASSWORD, names=("planner.example",)
    )
    server = Server(settings, port=PORT)
    with TestClient(create_app(server, files={}), base_url=f"http://planner.example:{PORT}") as client:
        yield client


def test_others_need_the_password_for_everything(remote, monkeypatch):
    monkeypatch.setattr("karvan.web.sessions._DELAY_S", 0.0)
    assert "password" in remote.get("/").text
    assert remote.get("/login.js").status_code == 200
    for path in ("/api/runs", "/api/session", "/api/openapi.json", "/index.html"):
        assert remote.get(path).status_code == 401
    assert remote.post("/api/login", json={"password": "wrong"}).status_code == 401
    assert remote.post("/api/login", json={"password": PASSWORD}, headers={"Origin": "http://evil.example"}).status_code == 403
    assert remote.post("/api/login", json={"password": PASSWORD}).json() == {"ok": True}
    token = remote.get("/api/session").json()["token"]
    assert remote.get("/api/runs").status_code == 200
    assert remote.delete("/api/runs/0123456789ab").status_code == 401
    assert remote.delete("/api/runs/0123456789ab", headers={"X-Karvan-Token": token}).status_code == 404


def test_who_guesses_passwords_waits(remote, monkeypatch):
    waited = []

    async def counted(seconds):
        waited.append(seconds)

    monkeypatch.setattr("karvan.web.sessions.asyncio.sleep", counted)
    remote.post("/api/login", json={"password": "wrong"})
    remote.get("/api/runs", headers={"Authorization": "Bearer wrong"})
    assert waited == [1.0, 1.0]


def test_programs_send_the_password(remote):
    headers = {"Authorization": f"Bearer {PASSWORD}"}
    assert remote.get("/api/runs", headers=headers).status_code == 200
    assert remote.delete("/api/runs/0123456789ab", headers=headers).status_code == 404
    assert remote.get("/api/runs", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_others_call_it_by_address_or_by_a_name_that_was_given(remote):
    headers = {"Authorization": f"Bearer {PASSWORD}"}
    assert remote.get("/api/runs", headers={**headers, "Host": f"10.1.2.3:{PORT}"}).status_code == 200
    assert remote.get("/api/runs", headers={**headers, "Host": f"other.example:{PORT}"}).status_code == 400


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": "0.0.0.0"}, "--allow-remote"),
        ({"host": "192.168.1.5"}, "--allow-remote"),
        ({"host": "0.0.0.0", "is_remote": True}, "needs --password-file"),
        ({"port": 70000}, "0 to 65535"),
        ({"workers": 0}, "1 or more"),
    ],
)
def test_what_would_be_unsafe_is_not_started(settings, words):
    with pytest.raises(DataError, match=words):
        Settings(**settings)


def test_loopback_is_known():
    assert [is_loopback(host) for host in ("localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]")] == [True] * 5
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "example.org", "10.0.0.1")] == [False] * 4


def test_a_password_is_read_from_a_file_that_others_cannot_read(tmp_path: Path):
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    file.chmod(0o600)
    assert read_password(file) == PASSWORD
    file.write_text("short", encoding="utf-8")
    with pytest.raises(DataError, match="12 or more"):
        read_password(file)
    with pytest.raises(DataError, match="cannot be read"):
        read_password(tmp_path / "none")
    if os.name == "posix":
        file.chmod(0o644)
        with pytest.raises(DataError, match="chmod 600"):
            read_password(file)
