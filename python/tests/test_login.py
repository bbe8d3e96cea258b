"""The login page: its answers, sessions and settings."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import dash
import dash_auth
import pytest
from conftest import BETTER, GOOD, METHOD, add, execute, run
from login_client import CALLBACK, COOKIE, SECRET, Person, hidden, make_app, replay

from dash_users import DatabaseError, Limits, Users
from dash_users._login import times
from dash_users._login.texts import TEXTS
from dash_users.dash import LoginAuth, change_password_link, current_user, logout_button

SESSIONS = "users.db-sessions"


def sessions(sql: str = "SELECT username FROM dash_users_sessions") -> list[tuple]:
    return execute(sql, database=SESSIONS)


@pytest.fixture
def app(database: Path) -> dash.Dash:
    return make_app()


@pytest.fixture
def ann(app: dash.Dash) -> Person:
    ann = Person(app)
    assert ann.log_in().status_code == 303
    return ann


# Logging in and out


def test_page_leads_to_the_login_page_and_back(app: dash.Dash) -> None:
    ann = Person(app)
    first = ann.get("reports?year=2026&q=%2F")
    assert first.status_code == 302
    assert first.location == "/login?next=" + quote("/reports?year=2026&q=%2F", safe="/")
    form = ann.client.get(first.location)
    assert form.status_code == 200
    answer = ann.post("login", {**hidden(form), "username": "ann", "password": GOOD})
    assert (answer.status_code, answer.location) == (303, "/reports?year=2026&q=%2F")
    assert ann.get().status_code == 200
    assert ann.callback().status_code == 200


def test_session_user_has_groups_and_language(app: dash.Dash) -> None:
    run("group", "add", "ann", "staff", "admins")
    ann = Person(app)
    ann.log_in()
    user = {"email": "ann", "groups": ["admins", "staff"], "language": "en"}
    assert ann.get("who").json == user
    # Changes count at the next request.
    run("group", "remove", "ann", "admins")
    run("update", "ann", "--language", "fr")
    assert ann.get("who").json == {"email": "ann", "groups": ["staff"], "language": "fr"}


def test_requests_without_a_session(app: dash.Dash) -> None:
    nobody = Person(app)
    for path in ("", "any/page", "who", "assets/logo.png"):
        assert nobody.get(path).status_code == 302, path
    for path in ("_dash-layout", "_dash-dependencies", "_reload-hash"):
        assert nobody.get(path).status_code == 401, path
    refused = nobody.callback()
    assert refused.status_code == 401
    # A browser shows no dialog for it.
    assert refused.headers["WWW-Authenticate"].startswith("Session")
    assert nobody.post("who").status_code == 401
    image = nobody.get("logo.png", headers={"Sec-Fetch-Mode": "no-cors"})
    assert image.status_code == 401


@pytest.mark.parametrize(
    ("username", "password"),
    [("ann", "wrong"), ("nobody", GOOD), ("", ""), ("ann", ""), ("ann\0", GOOD), ("Ann", GOOD)],
)
def test_failed_logins_look_alike(app: dash.Dash, username: str, password: str) -> None:
    ann = Person(app)
    answer = ann.log_in(username, password)
    assert answer.status_code == 401
    assert TEXTS["en"]["wrong"] in answer.text
    assert COOKIE not in ann.cookies()
    assert sessions() == []


def test_locked_user_cannot_log_in(app: dash.Dash) -> None:
    run("lock", "ann")
    assert Person(app).log_in().status_code == 401


def test_form_keeps_the_name_and_the_target(app: dash.Dash) -> None:
    answer = Person(app).log_in('<b>"ann', "wrong", next="/reports")
    assert 'value="&lt;b&gt;&#34;ann"' in answer.text
    assert hidden(answer)["next"] == "/reports"
    assert "wrong" not in answer.text.replace("Wrong", "").replace("wrong or", "")


def test_limited_login_says_when_to_try_again(database: Path) -> None:
    limits = Limits(guesses_per_name_and_address=2, first_wait=30, method=METHOD)
    ann = Person(make_app(Users(limits=limits)))
    statuses = [ann.log_in(password=f"wrong {number}").status_code for number in range(3)]
    assert statuses == [401, 401, 429]
    answer = ann.log_in(password="wrong again")
    assert 0 < int(answer.headers["Retry-After"]) <= 30
    assert f"in {answer.headers['Retry-After']} seconds" in answer.text


def test_busy_server_says_when_to_try_again(
    app: dash.Dash, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dash_users import Busy

    def busy(*_: object) -> None:
        raise Busy("too many passwords are being checked")

    monkeypatch.setattr(app.auth.users, "_verified", busy)
    answer = Person(app).log_in()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert TEXTS["en"]["busy"] in answer.text


def test_logout_asks_and_ends_the_session(ann: Person, app: dash.Dash) -> None:
    copied = ann.cookies()
    assert ann.get("logout").status_code == 200
    # Asking changes nothing.
    assert ann.who() == "ann"
    answer = ann.log_out()
    assert (answer.status_code, answer.location) == (303, "/login?logged-out")
    assert ann.who() is None
    assert COOKIE not in ann.cookies()
    assert replay(app, copied).who() is None
    assert sessions() == []
    assert TEXTS["en"]["logged_out"] in ann.get("login?logged-out").text
    assert ann.get("logout").location == "/login"


def test_login_page_with_a_session_leads_on(ann: Person) -> None:
    assert ann.get("login?next=/reports").location == "/reports"


def test_each_login_has_a_new_id_and_ends_the_last_one(ann: Person, app: dash.Dash) -> None:
    copied, form = ann.cookies(), Person(app).fields("login")
    assert form
    other = Person(app)
    other.log_in()
    assert other.id() != copied[COOKIE]
    # The same browser logs in again, on a page that was still open.
    ann.client.delete_cookie(COOKIE)
    fields = ann.fields("login")
    ann.client.set_cookie(COOKIE, copied[COOKIE], domain="localhost")
    assert ann.post("login", {**fields, "username": "ann", "password": GOOD}).status_code == 303
    assert ann.id() != copied[COOKIE]
    assert replay(app, copied).who() is None
    assert len(sessions()) == 2


def test_two_users_in_turn_share_nothing(app: dash.Dash) -> None:
    import flask

    @app.server.route("/remember/<value>")
    def remember(value: str) -> str:
        before = flask.session.get("value", "")
        flask.session["value"] = value
        return str(before)

    add("bob")
    browser = Person(app)
    browser.log_in()
    assert browser.get("remember/of-ann").text == ""
    assert browser.get("remember/of-ann").text == "of-ann"
    browser.log_out()
    browser.log_in("bob")
    assert browser.get("remember/of-bob").text == ""
    assert browser.who() == "bob"
    # The session ends without a logout.
    sessions("DELETE FROM dash_users_sessions")
    browser.log_in("ann")
    assert browser.get("remember/x").text == ""


# The end of sessions


def test_lifetime_and_idle_end_a_session(app: dash.Dash, monkeypatch: pytest.MonkeyPatch) -> None:
    start = times.now()
    clock = {"now": start}
    monkeypatch.setattr(times, "now", lambda: clock["now"])
    ann = Person(app)
    ann.log_in()
    for minutes in range(0, 12 * 60, 50):
        clock["now"] = start + timedelta(minutes=minutes)
        assert ann.who() == "ann", minutes
    # However often it is used.
    clock["now"] = start + timedelta(hours=12)
    assert ann.who() is None
    assert sessions() == []
    ann.log_in()
    clock["now"] += timedelta(minutes=61)
    assert ann.who() is None


def test_last_use_is_written_once_a_minute(app: dash.Dash, monkeypatch: pytest.MonkeyPatch) -> None:
    start = times.now()
    clock = {"now": start}
    monkeypatch.setattr(times, "now", lambda: clock["now"])
    ann = Person(app)
    ann.log_in()
    used = "SELECT last_used_at, expires_at FROM dash_users_sessions"
    written = []
    for seconds in (1, 59, 60, 100, 121):
        clock["now"] = start + timedelta(seconds=seconds)
        assert ann.who() == "ann"
        written.append(sessions(used)[0][0])
    expected = [start] * 2 + [start + timedelta(seconds=60)] * 2 + [start + timedelta(seconds=121)]
    assert written == [times.to_text(time) for time in expected]
    assert sessions(used)[0][1] == times.to_text(start + timedelta(seconds=121, hours=1))


def test_request_goes_on_if_its_use_cannot_be_recorded(
    app: dash.Dash, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    start = times.now()
    clock = {"now": start}
    monkeypatch.setattr(times, "now", lambda: clock["now"])
    ann = Person(app)
    ann.log_in()
    clock["now"] = start + timedelta(minutes=2)
    used = "SELECT last_used_at FROM dash_users_sessions"
    with closing(sqlite3.connect(SESSIONS, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert [ann.who(), ann.who()] == ["ann", "ann"]
        assert log.text.count("last use of sessions cannot be recorded") == 1
        assert "locked" in log.text
        writer.execute("ROLLBACK")
    assert sessions(used) == [(times.to_text(start),)]
    assert ann.who() == "ann"
    assert sessions(used) == [(times.to_text(clock["now"]),)]


def test_session_of_the_future_ends(app: dash.Dash, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock was ahead at the login: the session would outlive its lifetime."""
    start = times.now()
    for minutes, expected in [(4, "ann"), (6, None)]:
        monkeypatch.setattr(times, "now", lambda: start + timedelta(minutes=minutes))  # noqa: B023
        ann = Person(app)
        ann.log_in()
        assert ann.who() == "ann"
        monkeypatch.setattr(times, "now", lambda: start)
        assert ann.who() == expected


def test_shorter_limits_count_for_existing_sessions(ann: Person) -> None:
    sessions("UPDATE dash_users_sessions SET expires_at = '2999-01-01T00:00:00.000Z'")
    other = make_app(lifetime=timedelta(microseconds=1))
    assert replay(other, ann.cookies()).who() is None


def test_login_deletes_expired_sessions(ann: Person, database: Path) -> None:
    sessions("UPDATE dash_users_sessions SET expires_at = '2001-01-01T00:00:00.000Z'")
    Person(make_app()).log_in()
    assert len(sessions()) == 1


def set_hash(stored: str) -> None:
    execute("UPDATE users SET password_hash = ? WHERE username = 'ann'", stored)


def test_session_does_not_come_back_with_the_old_hash(ann: Person) -> None:
    [(stored,)] = execute("SELECT password_hash FROM users WHERE username = 'ann'")
    set_hash("x")
    assert ann.who() is None
    set_hash(stored)
    assert ann.who() is None
    assert sessions() == []


def test_session_belongs_to_the_hash_that_was_verified(
    app: dash.Dash, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = app.auth.sessions.start

    def later(username: str, verified: object) -> str | None:
        run("passwd", "ann", "--password-stdin", password=BETTER)
        return start(username, verified)

    monkeypatch.setattr(app.auth.sessions, "start", later)
    ann = Person(app)
    assert ann.log_in().status_code == 303
    assert ann.who() is None


@pytest.mark.parametrize("column", ["username", "started_at", "digest", "app"])
def test_changed_row_is_no_session(ann: Person, column: str) -> None:
    add("bob")
    values = {"username": "bob", "started_at": "2999-01-01T00:00:00.000Z", "digest": b"x" * 32}
    execute(
        f"UPDATE dash_users_sessions SET {column} = ?", values.get(column, "x"), database=SESSIONS
    )
    assert ann.who() is None


@pytest.mark.parametrize("column", ["started_at", "last_used_at", "expires_at"])
@pytest.mark.parametrize("time", ["soon", "2026-11-29T00:00:00", "9999-12-31T23:59:59.999Z"])
def test_rows_of_other_programs_are_no_sessions(ann: Person, column: str, time: str) -> None:
    sessions(f"UPDATE dash_users_sessions SET {column} = '{time}'")
    if column == "expires_at" and time.startswith("9999"):
        # It ends by the other times.
        assert ann.who() == "ann"
        return
    assert ann.who() is None
    assert ann.get().status_code == 302


def test_sessions_survive_a_restart_but_not_another_key(ann: Person) -> None:
    assert replay(make_app(), ann.cookies()).who() == "ann"
    assert replay(make_app(secret_key=SECRET + "2"), ann.cookies()).who() is None
    # It is not of that app, which leaves it alone.
    assert ann.who() == "ann"


# Changing one's own password


def test_change_of_password(app: dash.Dash, ann: Person) -> None:
    elsewhere = Person(app)
    elsewhere.log_in()
    copied = ann.cookies()
    answer = ann.change(GOOD, BETTER)
    assert answer.status_code == 200
    assert TEXTS["en"]["changed"] in answer.text
    assert ann.who() == "ann"
    assert ann.id() != copied[COOKIE]
    assert elsewhere.who() is None
    assert replay(app, copied).who() is None
    assert Person(app).log_in().status_code == 401
    assert Person(app).log_in(password=BETTER).status_code == 303
    # The history names who did it.
    assert app.auth.users.history("ann", limit=1)[0].actor == "ann"


@pytest.mark.parametrize(
    ("old", "new", "again", "problem"),
    [
        ("wrong", BETTER, BETTER, "wrong_password"),
        (GOOD, BETTER, BETTER + "x", "different"),
        (GOOD, "short", "short", "weak"),
        (GOOD, "", "", "weak"),
        (GOOD, "nul\0" + BETTER, "nul\0" + BETTER, "weak"),
    ],
)
def test_refused_change_of_password(
    ann: Person, old: str, new: str, again: str, problem: str
) -> None:
    answer = ann.change(old, new, again)
    assert answer.status_code == 400
    assert TEXTS["en"][problem] in answer.text
    assert ann.who() == "ann"
    for secret in (GOOD, BETTER):
        assert secret not in answer.text


def test_change_of_password_is_limited(database: Path) -> None:
    limits = Limits(guesses_per_name_and_address=2, first_wait=30, method=METHOD)
    ann = Person(make_app(Users(limits=limits)))
    ann.log_in()
    statuses = [ann.change(f"wrong {number}", BETTER).status_code for number in range(3)]
    assert statuses == [400, 400, 429]
    assert ann.who() == "ann"


def test_password_page_needs_a_session(app: dash.Dash) -> None:
    nobody = Person(app)
    assert nobody.get("account/password").location == "/login?next=/account/password"
    assert nobody.post("account/password", {"new_password": BETTER}).status_code == 303


def test_password_page_is_absent_if_the_users_are_read_only(
    database: Path, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    access = os.access
    monkeypatch.setattr(
        "dash_users.dash.os.access",
        lambda path, mode: access(path, mode) and not str(path).endswith("users.db"),
    )
    app = make_app()
    assert "users.db is read-only" in log.text
    ann = Person(app)
    ann.log_in()
    # The app's own page, as for every other path.
    assert "new_password" not in ann.get("account/password").text


# Languages, texts and components


@pytest.mark.parametrize(
    ("header", "language"),
    [("fr-CA,fr;q=0.9", "fr"), ("de", "de"), ("es-MX", "es"), ("ja", "en"), ("", "en")],
)
def test_language_is_that_of_the_browser(app: dash.Dash, header: str, language: str) -> None:
    answer = Person(app).get("login", headers={"Accept-Language": header})
    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{TEXTS[language]['log_in']}</h1>" in answer.text
    assert answer.headers["Content-Language"] == language


def test_languages_have_the_same_texts() -> None:
    for language, texts in TEXTS.items():
        assert list(texts) == list(TEXTS["en"]), language
        for name, text in texts.items():
            assert text.count("{") == TEXTS["en"][name].count("{"), (language, name)


def test_texts_templates_and_colors_can_be_replaced(database: Path, tmp_path: Path) -> None:
    app = make_app(texts={"en": {"log_in": "Welcome"}, "it": {"log_in": "Accedi"}})
    folder = tmp_path / "templates/dash_users"
    folder.mkdir(parents=True)
    (folder / "custom.css").write_text(":root { --accent: teal; }")
    app.server.template_folder = str(tmp_path / "templates")
    nobody = Person(app)
    assert "<h1>Welcome</h1>" in nobody.get("login").text
    assert "Accedi" in nobody.get("login", headers={"Accept-Language": "it"}).text
    assert "--accent: teal" in nobody.get("_dash_users/style.css").text
    with pytest.raises(ValueError, match="login"):
        make_app(texts={"en": {"login": "Welcome"}})


def test_components(app: dash.Dash) -> None:
    app.layout = lambda: dash.html.Div([current_user(), logout_button(), change_password_link()])
    ann = Person(app)
    ann.log_in()
    layout = ann.get("_dash-layout", headers={"Accept-Language": "fr"}).json
    span, form, link = layout["props"]["children"]
    [button, token] = form["props"]["children"]
    assert button["props"]["children"] == "Se déconnecter"
    assert link["props"]["href"] == "/account/password"
    body = {
        "output": next(key for key in app.callback_map if "dash_users" in key),
        "outputs": {"id": span["props"]["id"], "property": "children"},
        "inputs": [{"id": span["props"]["id"], "property": "id", "value": span["props"]["id"]}],
        "changedPropIds": [],
    }
    shown = ann.callback(body)
    assert '"children":"ann"' in shown.text
    answer = ann.post("logout", {"csrf": token["props"]["value"]})
    assert answer.status_code == 303
    assert ann.who() is None


def test_logout_button_without_a_token_asks_or_is_of_the_same_origin(ann: Person) -> None:
    assert ann.post("logout").status_code == 200
    assert ann.who() == "ann"
    assert ann.post("logout", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
    assert ann.who() == "ann"
    assert ann.post("logout", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
    assert ann.who() is None


def test_pages_of_dash_have_the_script_only_with_a_session(database: Path) -> None:
    app = make_app(public_routes=["/"])
    ann = Person(app)
    assert "session.js" not in ann.get().text
    ann.log_in()
    assert '<script src="/_dash_users/session.js" data-login="/login">' in ann.get().text
    script = Person(app).get("_dash_users/session.js")
    assert script.content_type.startswith("text/javascript")


# Construction


def test_sessions_file_is_private_and_beside_the_real_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    run("init", database="data/users.db")
    (tmp_path / "users.db").symlink_to("data/users.db")
    make_app()
    path = tmp_path / "data/users.db-sessions"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert execute("PRAGMA journal_mode", database=path) == [("wal",)]


def test_directory_without_write_access_names_the_setting(database: Path, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="sessions=") as error:
        make_app(sessions=tmp_path / "missing/sessions")
    assert str(tmp_path / "missing/sessions") in str(error.value)
    (tmp_path / "text").write_text("no database, but long enough to be one" * 100)
    with pytest.raises(DatabaseError, match="text"):
        make_app(sessions=tmp_path / "text")


def test_deleted_sessions_file_ends_all_sessions(ann: Person) -> None:
    for path in Path().glob(f"{SESSIONS}*"):
        path.unlink()
    assert ann.who() is None
    assert ann.log_in().status_code == 303
    assert ann.who() == "ann"


def test_sessions_in_memory(database: Path) -> None:
    ann = Person(make_app(sessions=":memory:"))
    ann.log_in()
    assert ann.who() == "ann"
    ann.log_out()
    assert ann.who() is None
    assert not Path(SESSIONS).exists()


def test_users_of_a_lookup(database: Path) -> None:
    from werkzeug.security import generate_password_hash

    stored = {"eve": generate_password_hash(GOOD, METHOD)}
    users = Users.from_lookup(stored.get, groups=lambda _: ["staff"], limits=Limits(method=METHOD))
    with pytest.raises(ValueError, match="sessions="):
        make_app(users)
    eve = Person(make_app(users, sessions=":memory:"))
    eve.log_in("eve")
    assert eve.get("who").json == {"email": "eve", "groups": ["staff"], "language": "en"}
    stored.clear()
    assert eve.who() is None


def test_secret_key_is_required_and_kept(database: Path) -> None:
    with pytest.raises(ValueError, match="secret_key"):
        make_app(secret_key=None)
    app = dash.Dash(__name__)
    app.server.secret_key = "the key of the app"
    LoginAuth(app, Users())
    assert app.server.secret_key == "the key of the app"
    other = dash.Dash(__name__)
    other.server.secret_key = "the key of the app"
    LoginAuth(other, Users(), secret_key="another")
    assert other.server.secret_key == "another"


def test_two_logins_of_an_app(database: Path) -> None:
    def basic(app: dash.Dash) -> None:
        dash_auth.BasicAuth(app, auth_func=Users().auth_func, secret_key=SECRET)

    app = make_app()
    with pytest.raises(ValueError, match="another login"):
        LoginAuth(app, Users())
    app = dash.Dash(__name__)
    basic(app)
    with pytest.raises(ValueError, match="another login"):
        LoginAuth(app, Users(), secret_key=SECRET)
    app = make_app()
    app.server.before_request(lambda: None)
    with pytest.raises(ValueError, match="another login"):
        basic(app)
    assert Person(app).get().status_code == 302


def test_page_of_the_app_at_a_path_of_ours(database: Path) -> None:
    app = dash.Dash(__name__)
    app.server.add_url_rule("/login", "mine", lambda: "mine")
    with pytest.raises(ValueError, match=r"/login.*paths="):
        LoginAuth(app, Users(), secret_key=SECRET)
    LoginAuth(app, Users(), secret_key=SECRET, paths={"login": "/sign-in"})
    app.layout = dash.html.Div()
    nobody = Person(app)
    assert nobody.get("x").location == "/sign-in?next=/x"
    assert nobody.get("sign-in").status_code == 200
    assert nobody.get("login").location == "/sign-in?next=/login"


@pytest.mark.parametrize(
    "paths", [{"log_in": "/x"}, {"login": "x"}, {"login": "/logout"}, {"login": "/<x>"}]
)
def test_bad_paths(database: Path, paths: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="paths"):
        make_app(paths=paths)


@pytest.mark.parametrize(
    "options",
    [
        {"lifetime": timedelta(0)},
        {"lifetime": timedelta.max},
        {"idle": timedelta(-1)},
        {"cookie_name": "a b"},
    ],
)
def test_bad_settings(database: Path, options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        make_app(**options)


def test_other_backends_and_a_missing_server_are_refused(database: Path) -> None:
    app = dash.Dash(__name__, server=False)
    with pytest.raises(ValueError, match="init_app"):
        LoginAuth(app, Users(), secret_key=SECRET)
    app.server = object()
    with pytest.raises(TypeError, match="Flask"):
        LoginAuth(app, Users(), secret_key=SECRET)


# Trouble


def test_missing_users_file(ann: Person, app: dash.Dash, log: pytest.LogCaptureFixture) -> None:
    os.rename("users.db", "moved.db")
    for _ in range(3):
        answer = ann.get()
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert TEXTS["en"]["unavailable_text"] in answer.text
    assert ann.callback().status_code == 503
    assert ann.get("account/password").status_code == 503
    assert Person(app).log_in().status_code == 503
    errors = [record for record in log.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "users.db" in errors[0].getMessage()
    os.rename("moved.db", "users.db")
    assert ann.who() == "ann"


def test_public_routes_without_the_users_file(database: Path) -> None:
    app = make_app(public_routes=["/public/who"])
    ann = Person(app)
    ann.log_in()
    assert ann.get("public/who").json["email"] == "ann"
    os.rename("users.db", "moved.db")
    answer = ann.get("public/who")
    assert (answer.status_code, answer.json) == (200, None)


def test_logout_works_without_the_users_file(ann: Person) -> None:
    os.rename("users.db", "moved.db")
    assert ann.log_out().status_code == 303
    os.rename("moved.db", "users.db")
    assert ann.who() is None


def test_logout_without_the_sessions_file(ann: Person, app: dash.Dash) -> None:
    """The session goes on for a copy of the cookie, but this browser has none."""
    fields, copied = ann.fields("logout"), ann.cookies()
    with closing(sqlite3.connect(SESSIONS)) as connection:
        connection.execute("ALTER TABLE dash_users_sessions RENAME COLUMN id TO other")
        assert ann.post("logout", fields).status_code == 503
        connection.execute("ALTER TABLE dash_users_sessions RENAME COLUMN other TO id")
    assert COOKIE not in ann.cookies()
    assert ann.who() is None
    assert replay(app, copied).who() == "ann"


def test_request_makes_one_query_to_each_file(
    ann: Person, app: dash.Dash, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dash_users._sqlite_file import SqliteFile

    files: list[str] = []
    once = SqliteFile._once

    def counted(self: SqliteFile, work: object) -> object:
        files.append(os.path.basename(self.name))
        return once(self, work)

    monkeypatch.setattr(SqliteFile, "_once", counted)
    assert ann.callback(CALLBACK).status_code == 200
    assert files == [SESSIONS, "users.db"]
