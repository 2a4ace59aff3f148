"""No tab asks anything of the network, and none fails on the page."""

import pytest

from explorer import tab

pytestmark = pytest.mark.browser
TABS = tab.discover()


@pytest.mark.parametrize("name", TABS)
def test_a_tab_opens_without_network_and_without_errors(visit, app_url, name):
    """The fixture fails the test on a request beyond 127.0.0.1, a page error or an error on the console."""
    page = visit(f"{app_url}/?tab={name}")
    page.wait_for_selector(f"#tab-{name} [data-ready='true']")
    page.locator(f"#tab-{name} .ge-about > button").click()
    page.wait_for_selector(f"#tab-{name} .ge-prose .katex")
    page.wait_for_selector('[data-ge="device"][data-state="known"]')
    assert page.locator(f"#tab-{name} .ge-notice").count() == 0
    assert page.locator(".katex-error").count() == 0


def test_every_tab_one_after_the_other(page):
    for name in TABS:
        page.locator(f"#tab-{name}-button").click()
        page.wait_for_selector(f"#tab-{name} [data-ready='true']")
    assert page.locator('[role="tab"]').count() == len(TABS)


def test_the_fixture_sees_what_it_should(visit, app_url):
    """Planted troubles of each kind are noticed; else the tests above would prove nothing."""
    page = visit(app_url)
    page.evaluate("setTimeout(() => { throw new Error('planted') })")
    page.evaluate("console.error('planted')")
    page.evaluate("fetch('http://192.0.2.1/planted', {mode: 'no-cors', signal: AbortSignal.timeout(50)}).catch(() => {})")
    kinds = set()
    for _ in range(200):
        kinds = {trouble.split(":")[0] for trouble in page.troubles if "planted" in trouble}
        if len(kinds) == 3:
            break
        page.wait_for_timeout(50)
    page.troubles.clear()
    assert kinds == {"page error", "console", "outside"}
