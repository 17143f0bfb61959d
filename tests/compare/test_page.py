"""The page is complete in itself, and is used in a real browser as a photographer would use it."""

import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from fadn_cli.compare.page import page_html

SPLIT = "getComputedStyle(document.querySelector('{}')).getPropertyValue('--split')"
WHOLE = ".whole .pair"


@pytest.fixture(scope="module")
def page(comparison, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page_html(comparison), encoding="utf-8")
    return path


class Reader(HTMLParser):
    """Everything that a page names, and whether each element is closed."""

    VOID = ("meta", "img", "input", "br", "link")

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.ids, self.alts = [], [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.addresses += [found[name] for name in ("src", "href", "action") if name in found]
        self.ids += [found["id"]] if "id" in found else []
        if tag == "img":
            self.alts.append(found.get("alt"))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert tag == self.open.pop()


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert [] == reader.open
    return reader


def test_the_page_asks_for_nothing_but_itself(page):
    html = page.read_text(encoding="utf-8")
    reader = read(html)

    for address in reader.addresses:
        assert address.startswith("data:image/jpeg;base64,") or address[1:] in reader.ids
    assert "default-src 'none'" in html
    assert not re.search(r"@import|https?://", html)


def test_the_page_is_small(page):
    assert page.stat().st_size < 4e6


def test_every_picture_is_described(page):
    alts = read(page.read_text(encoding="utf-8")).alts

    assert len(alts) >= 9
    assert all(alts)


def test_names_are_text_not_html(page, comparison):
    html = page.read_text(encoding="utf-8")

    assert "<h1>IMG_1 &lt;b&gt;&amp;é.dng</h1>" in html
    assert "<b>&é" not in html


def test_names_that_utf8_cannot_hold_are_spelled(comparison):
    html = page_html(replace(comparison, name="caf\udce9 $title.dng"))

    assert "<h1>caf\\udce9 $title.dng</h1>" in html
    html.encode()


def test_the_page_is_the_same_every_time(page, comparison):
    assert page.read_text(encoding="utf-8") == page_html(comparison)


def test_a_developed_output_says_what_cannot_be_shown(comparison):
    details = tuple(replace(detail, residual=None) for detail in comparison.details)

    html = page_html(
        replace(comparison, residual=None, details=details, points=(), noise_after=None)
    )

    read(html)
    assert "can be shown of a DNG only" in html
    assert "Noise by brightness" not in html


def test_a_picture_without_flat_places_says_so(comparison):
    html = page_html(replace(comparison, points=()))

    read(html)
    assert "flat enough to measure" in html


def look(browser):
    """What the window shows, as an array."""
    with Image.open(io.BytesIO(browser.screenshot())) as image:
        return np.asarray(image.convert("RGB")).astype(np.int16)


@pytest.mark.parametrize("width", (1280, 400))
def test_the_mouse_moves_the_slider_and_the_picture_follows(browser, page, width):
    browser.open(page, width=width)
    left, top, wide, high = browser.box(f"{WHOLE} input")
    middle = top + high / 2
    at_rest = look(browser)

    browser.mouse("mouseMoved", left + wide / 2, middle)
    browser.mouse("mousePressed", left + wide / 2, middle)
    browser.mouse("mouseMoved", left + wide * 0.75, middle)
    browser.mouse("mouseReleased", left + wide * 0.75, middle)
    moved = look(browser)

    assert 75 == pytest.approx(float(browser.value(SPLIT.format(WHOLE)).rstrip("%")), abs=1)
    rows = slice(round(top) + 4, round(top + high * 0.9))
    changed = np.abs(moved - at_rest)[rows].max(axis=(0, 2)) > 0
    between = changed[round(left + wide * 0.55) : round(left + wide * 0.7)]
    assert between.mean() > 0.9  # there the source shows now
    assert not changed[round(left) + 4 : round(left + wide * 0.4)].any()
    assert not changed[round(left + wide * 0.85) : round(left + wide) - 4].any()


@pytest.mark.parametrize("width", (1280, 400, 230))
def test_the_page_fits_the_window_and_says_nothing_wrong(browser, page, width):
    browser.open(page, width=width)

    assert width >= browser.value("document.documentElement.scrollWidth")
    assert [] == browser.complaints()


def test_the_slider_shows_the_source_left_and_the_output_right(browser, page, comparison):
    browser.open(page)
    left, top, wide, high = browser.box(f"{WHOLE} input")
    shown = {}
    for name, value in (("before", 100), ("after", 0)):
        browser.click(f'input[name=show][value="{value}"] + span')
        browser.box(f"{WHOLE} input")
        shown[name] = look(browser)

    assert (480, 320) == (round(wide), round(high))
    inside = (slice(round(top) + 60, round(top) + 260), slice(round(left) + 20, round(left) + 440))
    rows, columns = slice(60, 260), slice(20, 440)
    for name, other in (("before", "after"), ("after", "before")):
        ours, theirs = (getattr(comparison, each)[rows, columns] for each in (name, other))
        # Marks, handle and JPEG aside, it is this picture rather than the other one.
        near, far = (np.median(np.abs(shown[name][inside] - x)) for x in (ours, theirs))
        assert near < 0.7 * far


def test_keys_reach_and_move_the_slider(browser, page):
    browser.open(page)
    browser.value("document.querySelector('input[name=zoom]').focus()")
    browser.key("Tab")  # past the radio buttons: into the whole picture
    assert "Before and after: the whole picture" == browser.value(
        "document.activeElement.getAttribute('aria-label')"
    )

    browser.key("ArrowRight")
    after_arrow = browser.value("document.activeElement.value")
    browser.key("End")

    assert 50 < float(after_arrow) < 60
    assert "100%" == browser.value(SPLIT.format(WHOLE))
    assert "100 % before" == browser.value("document.activeElement.getAttribute('aria-valuetext')")


def test_details_are_shown_pixel_for_pixel(browser, page, comparison):
    browser.open(page)
    browser.click('input[name=show][value="100"] + span')
    left, top, wide, high = browser.box("#detail-1 .before")
    shown = look(browser)[round(top) : round(top + high), round(left) : round(left + wide)]

    expected = comparison.details[0].before
    assert expected.shape == shown.shape
    assert np.abs(shown - expected)[:50].mean() < 5  # JPEG; handle and label lie below


@pytest.mark.parametrize(("scale", "times"), [(1, 1), (1.25, 1), (1.5, 2), (2, 2)])
def test_a_pixel_of_the_photograph_is_a_whole_number_of_the_screens(
    browser, page, comparison, scale, times
):
    browser.open(page, scale=scale)
    _, _, wide, high = browser.box("#detail-1 .before img")

    height, width, _ = comparison.details[0].before.shape
    assert (times * width, times * height) == pytest.approx((wide * scale, high * scale), abs=0.1)


def test_details_grow_to_200_percent(browser, page, comparison):
    browser.open(page)
    before = browser.box("#detail-1 .before")
    browser.click('input[name=zoom][value="2"] + span')

    assert 2 * before[2] == pytest.approx(browser.box("#detail-1 .before")[2])
    assert 2 * before[3] == pytest.approx(browser.box("#detail-1 .before")[3])


def test_exposure_brightens_both(browser, page):
    browser.open(page)
    browser.box(f"{WHOLE} .stage")
    plain = look(browser)
    browser.click('input[name=exposure][value="2"] + span')
    left, top, wide, high = (round(value) for value in browser.box(f"{WHOLE} .stage"))
    bright = look(browser)

    for half in (slice(left, left + wide // 2 - 30), slice(left + wide // 2 + 30, left + wide)):
        inside = (slice(top, top + high), half)
        assert bright[inside].mean() > 1.3 * plain[inside].mean()


def test_a_mark_leads_to_its_detail(browser, page):
    browser.open(page, height=500)
    browser.click('.marks a[href="#detail-2"]')

    assert browser.value("location.hash") == "#detail-2"
    assert browser.value("document.querySelector('#detail-2').getBoundingClientRect().top") < 250


@pytest.mark.parametrize("width", (1280, 400))
def test_without_scripts_both_pictures_stand_whole_beside_each_other(browser, page, width):
    browser.open(page, width=width, scripts=False)
    boxes = [browser.box(f"{WHOLE} .{name} img") for name in ("before", "after")]

    assert width >= browser.value("document.documentElement.scrollWidth")
    assert "none" == browser.value("getComputedStyle(document.querySelector('.tools')).display")
    assert not browser.value("document.querySelector('input[type=range]')")
    for name in ("before", "after"):
        clip = f"getComputedStyle(document.querySelector('{WHOLE} .{name}')).clipPath"
        assert "none" == browser.value(clip)
    assert boxes[0][2:] == boxes[1][2:]
    assert boxes[0][:2] != boxes[1][:2]


def test_the_background_is_a_dark_neutral_grey(browser, page):
    browser.open(page)
    corner = look(browser)[-4, -4]

    assert 1 == len(set(corner.tolist()))
    assert 24 <= corner[0] <= 64
