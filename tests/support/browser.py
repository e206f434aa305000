"""A headless Chromium for tests of pages; skips where there is none."""

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
