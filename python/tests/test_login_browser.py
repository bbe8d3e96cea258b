"""The login page in a browser: Chromium without a window.

With SCREENSHOTS set to a directory, each page is stored there as an image.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dash
import pytest
from conftest import BETTER, GOOD, METHOD, add, execute, require, run
from dash import Input, Output, dcc, html
from dash_auth import protected_callback
from werkzeug.serving import make_server

from dash_users import Limits, Users
from dash_users.dash import LoginAuth, change_password_link, current_user, logout_button

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WAIT_S = 20
# A container has little shared memory.
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
DESKTOP, PHONE = (1280, 800), (390, 844)
SHOTS = os.environ.get("SCREENSHOTS", "")


class Browser:
    """A browser, and what is on its page."""

    def __init__(self, home: str, *arguments: str) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for argument in (*ARGUMENTS, *arguments):
            options.add_argument(argument)
        options.add_argument("--window-size={},{}".format(*DESKTOP))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.home = home

    def open(self, path: str = "") -> None:
        self.driver.get(self.home + path)

    def until(self, condition: Callable[[], object]) -> None:
        WebDriverWait(self.driver, WAIT_S, ignored_exceptions=[Exception]).until(
            lambda _: condition()
        )

    def find(self, selector: str) -> Any:
        self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, selector))
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def shows(self, text: str) -> None:
        self.until(lambda: text in self.driver.find_element(By.TAG_NAME, "body").text)

    def path(self) -> str:
        return str(self.driver.current_url).removeprefix(self.home[:-1])

    def is_at(self, path: str) -> None:
        self.until(lambda: self.path() == path)

    def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            field = self.find(f"[name={name}]")
            field.clear()
            field.send_keys(text)
        self.find("form button").click()

    def log_in(self, username: str = "ann", password: str = GOOD) -> None:
        self.fill(username=username, password=password)

    def shot(self, name: str) -> None:
        if SHOTS:
            self.driver.save_screenshot(str(Path(SHOTS, f"{name}.png")))

    def emulate(self, size: tuple[int, int], scheme: str) -> None:
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {**metrics, "mobile": size == PHONE}
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@pytest.fixture
def home(database: Path) -> Iterator[str]:
    """The address of an app that runs."""
    add("bob")
    run("group", "add", "bob", "admins")
    app = dash.Dash(__name__, title="Sales dashboard")
    LoginAuth(app, Users(limits=Limits(method=METHOD)), secret_key="the key of the tests")
    app.layout = html.Div(
        [
            html.Header([current_user(), logout_button(), change_password_link()]),
            dcc.Location(id="url"),
            dcc.Input(id="input", value=""),
            html.P(id="output"),
            html.P(id="admins"),
        ]
    )

    @app.callback(Output("output", "children"), Input("input", "value"))
    def echo(value: str) -> str:
        return f"You typed: {value}"

    @protected_callback(
        Output("admins", "children"),
        Input("url", "pathname"),
        groups=["admins"],
        missing_permissions_output="for admins only",
    )
    def admins(_path: str) -> str:
        return "figures for admins"

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("localhost", 0, app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def browser_at(home: str, *arguments: str) -> Browser:
    require("chromium", shutil.which("chromium") is not None)
    require("chromedriver", shutil.which("chromedriver") is not None)
    return Browser(home, *arguments)


@pytest.fixture
def browser(home: str) -> Iterator[Browser]:
    browser = browser_at(home)
    yield browser
    browser.driver.quit()


def test_log_in_use_the_app_and_log_out(browser: Browser) -> None:
    browser.open("reports?year=2026")
    browser.is_at("/login?next=/reports%3Fyear%3D2026")
    browser.log_in(password="wrong")
    browser.shows("Wrong username or password.")
    # The name is kept, and the cursor is in the other field.
    assert browser.find("#username").get_property("value") == "ann"
    assert browser.driver.switch_to.active_element.get_attribute("id") == "password"
    browser.find("#password").send_keys(GOOD + "\n")
    browser.is_at("/reports?year=2026")
    browser.shows("for admins only")
    browser.shows("ann")
    browser.find("#input").send_keys("hello")
    browser.shows("You typed: hello")
    browser.shot("app")
    browser.find("header button").click()
    browser.shows("You are logged out.")
    # Neither the back button nor the cache shows the page.
    browser.driver.back()
    browser.until(lambda: browser.path().startswith("/login"))
    assert "You typed" not in browser.driver.page_source
    errors = [
        entry
        for entry in browser.driver.get_log("browser")
        if entry["level"] == "SEVERE" and "401" not in entry["message"]
    ]
    assert errors == []


def test_two_users_in_turn(browser: Browser) -> None:
    browser.open()
    browser.log_in()
    browser.shows("for admins only")
    browser.find("header button").click()
    browser.shows("You are logged out.")
    browser.log_in("bob")
    browser.shows("figures for admins")
    browser.shows("bob")


@pytest.mark.parametrize("end", ["expiry", "lock", "sessions end", "group"])
def test_session_that_ends_while_a_page_is_open(browser: Browser, end: str) -> None:
    browser.open("reports#top")
    browser.log_in("bob")
    browser.shows("figures for admins")
    if end == "group":
        run("group", "remove", "bob", "admins")
        browser.driver.refresh()
        browser.shows("for admins only")
        return
    if end == "expiry":
        execute(
            "UPDATE dash_users_sessions SET expires_at = '2001-01-01T00:00:00.000Z'",
            database="users.db-sessions",
        )
    elif end == "lock":
        run("lock", "bob")
    else:
        run("sessions", "end", "bob")
    # The next action leads to the login page, and back.
    browser.find("#input").send_keys("x")
    browser.is_at("/login?next=%2Freports")
    if end == "lock":
        browser.log_in("bob")
        browser.shows("Wrong username or password.")
        run("unlock", "bob")
    browser.log_in("bob")
    browser.is_at("/reports")
    browser.shows("figures for admins")


def test_change_of_password(browser: Browser) -> None:
    browser.open()
    browser.log_in()
    browser.find("header a").click()
    browser.is_at("/account/password")
    browser.fill(password=GOOD, new_password="short", new_password_again="short")
    browser.shows("too easy to guess")
    browser.fill(password=GOOD, new_password=BETTER, new_password_again=BETTER)
    browser.shows("Your password was changed.")
    browser.find(".links a").click()
    browser.shows("You typed")
    browser.find("header button").click()
    browser.log_in(password=BETTER)
    browser.shows("You typed")


def test_pages_work_without_javascript(home: str) -> None:
    browser = browser_at(home, "--blink-settings=scriptEnabled=false")
    try:
        browser.open("account/password")
        browser.log_in()
        browser.is_at("/account/password")
        browser.fill(password=GOOD, new_password=BETTER, new_password_again=BETTER)
        browser.shows("Your password was changed.")
        browser.open("logout")
        browser.find("form button").click()
        browser.shows("You are logged out.")
    finally:
        browser.driver.quit()


def test_pages_are_accessible_on_each_screen(browser: Browser) -> None:
    """axe finds nothing, and nothing is wider than the screen."""
    axe = axe_script()
    for size in (DESKTOP, PHONE):
        for scheme in ("light", "dark"):
            browser.emulate(size, scheme)
            name = f"{'phone' if size == PHONE else 'desktop'}-{scheme}"
            browser.open("login")
            check(browser, axe, f"login-{name}")
            browser.log_in(password="wrong")
            browser.shows("Wrong")
            check(browser, axe, f"refused-{name}")
            browser.log_in()
            browser.shows("You typed")
            for page in ("logout", "account/password"):
                browser.open(page)
                check(browser, axe, f"{page.split('/')[-1]}-{name}")
            browser.fill(password="x", new_password="x", new_password_again="y")
            browser.shows("differ")
            check(browser, axe, f"different-{name}")
            browser.open("logout")
            browser.find("form button").click()
            browser.shows("You are logged out.")
            check(browser, axe, f"logged-out-{name}")


def axe_script() -> str:
    axe = pytest.importorskip("axe_core_python")
    return Path(axe.__file__).with_name("axe.min.js").read_text()


def check(browser: Browser, axe: str, name: str) -> None:
    browser.shot(name)
    driver = browser.driver
    # As part of the driver, not of the page, whose policy forbids scripts.
    driver.execute_script(axe)
    found = driver.execute_async_script("axe.run().then(arguments[0])")
    violations = [f"{one['id']}: {one['help']}" for one in found["violations"]]
    assert violations == [], name
    width, inner = driver.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert width <= inner, name
    # Large enough for a finger.
    for element in driver.find_elements(By.CSS_SELECTOR, "form button, input:not([hidden])"):
        if element.is_displayed():
            assert element.size["height"] >= 40, name
