"""axe-core on a Playwright page."""

from pathlib import Path

from playwright.sync_api import Error, Page

AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
# Half faded in, a text has half its contrast: what is judged is the page as it comes to rest.
SETTLE = """() => document.getAnimations()
    .filter(animation => animation.effect.getComputedTiming().endTime !== Infinity)
    .forEach(animation => animation.finish())"""
# What passed is neither described nor sent: that is most of an answer, and nobody reads it.
RUN = """rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})
    .then(found => found.violations)"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """What breaks WCAG 2.2 A or AA, or axe's best practice, on the page as it stands, one line per rule and place."""
    page.wait_for_load_state()
    page.evaluate(SETTLE)
    # Evaluated by the browser's debugger, so that the page's own policy stays as strict as it is.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(RUN, RULES)
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(node['target'])}: {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def assert_accessible(page: Page) -> None:
    """Fail with what axe found; silent when it found nothing."""
    try:
        found = violations(page)
    except Error:
        # The page was being left for the next one, which is the one to look at.
        page.wait_for_load_state()
        found = violations(page)
    assert not found, f"{page.url}\n" + "\n".join(found)
