"""Morphing in a real browser: where a film ends, how a slot is filled, and what a link keeps of both."""

import pytest

pytestmark = pytest.mark.browser

READY = '.morph[data-ready="true"][data-state="ready"]'
PIXELS = "(e) => Array.from(e.getContext('2d').getImageData(0, 0, e.width, e.height).data)"


class Morph:
    """A hand and an eye on the morph of one page."""

    def __init__(self, page):
        self.page = page
        page.wait_for_selector(READY)
        page.wait_for_selector('.film[data-state="ready"]')

    def slot(self, name):
        return self.page.locator(f'.slot[data-slot="{name}"]')

    def names(self):
        return [self.slot(name).get_attribute("data-name") for name in "ab"]

    def change(self, deed):
        """Does something to a slot, and waits until its film is shown."""
        before = self.names()
        deed()
        self.page.wait_for_function(
            f"(before) => document.querySelector('{READY}')"
            " && [...document.querySelectorAll('.slot')].some((slot, i) => slot.dataset.name !== before[i])",
            arg=before,
        )
        self.page.wait_for_selector('.film[data-state="ready"]')

    def show(self, frame):
        self.page.evaluate("(i) => document.querySelector('.film').film.goto(i)", frame)
        self.page.wait_for_selector(f'.film[data-frame="{frame}"]')

    def picture(self):
        """The film's stage, reduced to the 64 x 64 pixels of the model by averaging."""
        return self.reduced(self.page.locator(".film .picture"))

    def reduced(self, canvas):
        return canvas.evaluate(
            "(e) => { const c = new OffscreenCanvas(16, 16).getContext('2d'); c.imageSmoothingQuality = 'high';"
            " c.drawImage(e, 0, 0, 16, 16); return Array.from(c.getImageData(0, 0, 16, 16).data); }"
        )


@pytest.fixture
def morph(page):
    return Morph(page)


def apart(a, b):
    return sum(abs(x - y) for x, y in zip(a, b)) / len(a)


def test_a_pair_is_loaded_and_the_film_ends_at_both(morph):
    assert morph.names()[0] != morph.names()[1]
    morph.show(0)
    first = morph.picture()
    morph.show(32)
    last = morph.picture()
    a, b = (morph.reduced(morph.slot(name).locator("> canvas")) for name in "ab")
    # Canvases of different sizes never agree to the last bit.
    assert apart(first, b) > 5 * apart(first, a) and apart(last, a) > 5 * apart(last, b)


def test_the_end_frames_are_the_reconstructions_pixel_by_pixel(morph):
    """Before any scaling: the sprite's first and last frame against the decoder at both means."""
    worst = morph.page.evaluate("""async () => {
        const { wire, start } = [...document.querySelectorAll('*')].find((e) => e.desk).desk;
        const [a, b] = [...document.querySelectorAll('.slot')].map((s) => start.gallery[s.dataset.name.slice(1)].mu);
        const film = await wire.frames('morph', { a: wire.numbers(a), b: wire.numbers(b), frames: 33 });
        const ends = [await wire.picture(a), await wire.picture(b)];
        const gap = (p, q) => p.data.reduce((most, v, i) => Math.max(most, Math.abs(v - q.data[i])), 0);
        return Math.max(gap(film[0], ends[0]), gap(film[32], ends[1]));
    }""")
    assert worst <= 1  # a batch of another size rounds here and there to the neighbouring level


def test_the_equation_follows_the_film(morph):
    morph.show(8)
    line = morph.page.locator(".line")
    morph.page.wait_for_function("document.querySelector('.line').innerText.includes('t = 0.250')")
    assert "0.750 A + 0.250 B" in line.inner_text()


def test_swap_turns_the_film_around(morph):
    morph.show(0)
    first, names = morph.picture(), morph.names()
    morph.change(lambda: morph.page.click(".swap"))
    assert morph.names() == names[::-1]
    morph.show(32)
    assert apart(morph.picture(), first) < 1


def test_slots_take_a_face_from_the_gallery_the_desk_and_a_seed(morph):
    slot = morph.slot("b")
    slot.locator("[data-take=gallery]").click()
    morph.change(lambda: slot.locator(".shelf button").nth(9).click())
    assert morph.names()[1] == "g9" and slot.locator(".shelf").is_hidden()
    morph.change(lambda: slot.locator("[data-take=random]").click())
    assert morph.names()[1].startswith("s")

    morph.page.locator(".desk .row input").first.focus()
    morph.page.keyboard.press("Home")
    morph.page.wait_for_selector('.desk[data-settled="true"][data-frame="exact"]')
    morph.change(lambda: slot.locator("[data-take=here]").click())
    assert morph.names()[1].startswith("c") and "edited" in slot.locator(".title").inner_text()


def test_slots_take_an_upload_and_a_corrupt_one_changes_nothing(morph, tmp_path):
    from PIL import Image

    Image.radial_gradient("L").convert("RGB").save(tmp_path / "ball.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff and nothing else")
    morph.change(lambda: morph.slot("a").locator("input").set_input_files(tmp_path / "ball.png"))
    names = morph.names()
    morph.slot("a").locator("input").set_input_files(tmp_path / "broken.jpg")
    morph.page.locator(".ge-toast p").wait_for()
    assert morph.names() == names
    morph.page.troubles[:] = [t for t in morph.page.troubles if "400" not in t]  # the refusal this test asked for


def test_a_gallery_face_can_be_dropped_onto_a_slot(visit, app_url):
    morph = Morph(visit(app_url, height=2400))  # both ends of the drag are in sight
    morph.change(lambda: morph.page.locator(".thumb").nth(11).drag_to(morph.slot("a")))
    assert morph.names()[0] == "g11"


def test_a_link_restores_both_faces_and_the_frame(morph, visit):
    morph.slot("a").locator("[data-take=gallery]").click()
    morph.change(lambda: morph.slot("a").locator(".shelf button").nth(5).click())
    morph.change(lambda: morph.slot("b").locator("[data-take=random]").click())
    morph.show(20)
    morph.page.wait_for_function("location.search.includes('frame=20') && location.search.includes('a=g5')")
    other = Morph(visit(morph.page.evaluate("location.href")))
    assert other.names() == morph.names()
    other.page.wait_for_selector('.film[data-frame="20"]')
    assert apart(other.picture(), morph.picture()) < 1


def test_the_film_can_be_exported(morph):
    morph.page.click(".export summary")
    with morph.page.expect_download() as waiting:
        morph.page.click(".export [data-kind=gif]")
    assert waiting.value.suggested_filename == "morph.gif"
