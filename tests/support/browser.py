"""A headless Chromium for tests of pages; skips where there is none."""

import json
import os
import pathlib
import shutil

import pytest

FLAGS = """
--headless=new --window-size=1000,800 --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --disable-dev-shm-usage --use-gl=angle --use-angle=swiftshader
--enable-unsafe-swiftshader
""".split()


def open_chromium(folder: pathlib.Path):
    """Selenium's driver, which logs the console and the network; its user's data go to the folder."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
    binary = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("There is no Chromium with its chromedriver here.")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    # Chromium's sandbox doesn't work for root.
    for flag in [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={folder}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))


class Page:
    """An open page, by JavaScript."""

    patience = 90.0  # Seconds; without a graphics card a drawing takes one.

    def __init__(self, browser, address: str):
        self.browser = browser
        browser.get_log("browser"), browser.get_log("performance")
        browser.get(address)

    def run(self, code: str, *arguments):
        return self.browser.execute_script(code, *arguments)

    def wait(self, condition):
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.browser, self.patience, 0.05).until(lambda _: condition())

    @property
    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]

    @property
    def asked(self) -> list[str]:
        """Addresses that were asked for, the browser's own pages and what is in the page apart."""
        events = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        requests = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        urls = [request["request"]["url"] for request in requests if not request["documentURL"].startswith("chrome")]
        return [url for url in urls if not url.startswith(("chrome", "data:", "blob:"))]
