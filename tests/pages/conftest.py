"""One headless Chromium for the pages and the slides."""

import pytest

from meanings.book import printing

FLAGS = [*printing.FLAGS, "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="package")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=printing.browser(), args=FLAGS)
        yield started
        started.close()
