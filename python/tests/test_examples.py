"""The example whose users are stored elsewhere, with a provider on this machine."""

from __future__ import annotations

import base64
import http.server
import importlib.util
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from conftest import BETTER, GOOD, METHOD
from login_client import Person
from werkzeug.security import generate_password_hash

EXAMPLE = Path(__file__).parents[2] / "examples/app_lookup.py"
DOCUMENTS: dict[str, dict[str, object]] = {}


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers `GET /users/NAME`."""

    def do_GET(self) -> None:
        document = DOCUMENTS.get(self.path.removeprefix("/users/"))
        self.send_response(200 if document else 404)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def provider() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("app_lookup", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def status(module: ModuleType, name: str, password: str) -> int:
    login = base64.b64encode(f"{name}:{password}".encode()).decode()
    response = module.app.test_client().get("/", headers={"Authorization": f"Basic {login}"})
    return int(response.status_code)


def test_users_in_a_collection() -> None:
    module = example()
    assert module.app.test_client().get("/").status_code == 401
    assert status(module, "alice", GOOD) == 200
    assert status(module, "alice", BETTER) == 401
    del module.COLLECTION.documents["alice"]
    assert status(module, "alice", GOOD) == 401


def test_users_of_a_provider(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER", provider)
    module = example()
    DOCUMENTS["ann"] = {"hash": generate_password_hash(GOOD, METHOD), "groups": ["staff"]}
    assert status(module, "ann", GOOD) == 200
    assert status(module, "bob", GOOD) == 401
    assert module.users.user_groups("ann") == ["staff"]
    del DOCUMENTS["ann"]
    assert status(module, "ann", GOOD) == 401


def test_app_with_a_login_page(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "a key of the test")
    spec = importlib.util.spec_from_file_location("app_login", EXAMPLE.with_name("app_login.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ann = Person(module.app)
    assert ann.log_in().status_code == 303
    assert "Protected app" in ann.get("_dash-layout").text
    assert ann.log_out().location == "/login?logged-out"
