"""The page in a real browser: swaps, slider, samples, grid, an upload that is no image, and no word to the outside."""

import base64
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dfv.model.image_grids import arrange_swaps

BROWSER, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
SCREENSHOTS = "DFV_SCREENSHOTS"
WAIT_S = 60


def test_two_outputs_never_write_the_same_file():
    page = pytest.importorskip("export.demo.page", reason="the page needs the extra `demo`")
    same = np.full((8, 8, 3), 100, np.uint8)
    files = [Path(page._picture("any", name).postprocess(same).path) for name in ("swap", "between")]
    assert files[0] != files[1] and files[0].read_bytes() == files[1].read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """20,000 files in 20 folders; the page must neither copy nor read all of them."""
    place = tmp_path_factory.mktemp("many")
    images = np.random.default_rng(2).integers(0, 256, (20, 13, 10), np.uint8)
    for number, image in enumerate(images):
        parent = place / f"person{number:02}"
        parent.mkdir()
        Image.fromarray(image).save(parent / "000.png")
        for copy in range(1, 1000):
            os.link(parent / "000.png", parent / f"{copy:03}.png")
    (place / "__MACOSX").mkdir()
    (place / "__MACOSX" / "._000.png").touch()
    return place


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """The folder in which the page's library keeps files."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def address(exported, folder, cache) -> Iterator[str]:
    pytest.importorskip("gradio", reason="the page needs the extra `demo`")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--model={exported.parent}", f"--images={folder}", f"--port={port}"]
    environment = os.environ | {"GRADIO_TEMP_DIR": str(cache)}
    command = [sys.executable, "-m", "export.demo", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout and "Ctrl-C" in process.stdout.readline()
            ss = shutil.which("ss")
            listening = subprocess.run([ss, "-ltn"], capture_output=True, text=True).stdout if ss else ""
            assert not listening or re.findall(rf"(\S+):{port}\b", listening) == ["127.0.0.1"]
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browser(address):
    webdriver = pytest.importorskip("selenium.webdriver", reason="the browser's test needs selenium")
    if not BROWSER or not DRIVER:
        pytest.skip("the browser's test needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1300,1400"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.get(address)
    yield driver
    driver.quit()


def eventually(what: Callable[[], object]) -> object:
    """What is true at last; fails after WAIT_S."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            if result := what():
                return result
        except Exception as error:  # the page may be redrawn between finding and reading
            last = error
        else:
            last = None
        time.sleep(0.2)
    raise AssertionError(f"not within {WAIT_S} s: {last}")


def picture(browser, name: str) -> np.ndarray:
    """The picture shown in the part of the page with this id, as the browser decoded it."""
    script = """const image = document.querySelector(arguments[0]); const canvas = document.createElement("canvas");
        canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
        canvas.getContext("2d").drawImage(image, 0, 0); return canvas.toDataURL("image/png")"""
    encoded = browser.execute_script(script, f"#{name} img").split(",")[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"))


def shrunk(image: np.ndarray) -> np.ndarray:
    """The model's own pixels, 13 x 10, of an enlarged picture."""
    factor = image.shape[0] // 13
    return image[factor // 2 :: factor, factor // 2 :: factor, :1]


def upload(browser, name: str, path: Path) -> None:
    def clear() -> list:
        button = f"#{name} button"
        return browser.find_elements("css selector", f'{button}[aria-label="Clear"], {button}[title="Clear"]')

    if clear():
        browser.execute_script("arguments[0].click()", clear()[0])
        eventually(lambda: not clear())  # or the file goes to the input that is about to be drawn again
    eventually(lambda: browser.find_elements("css selector", f"#{name} input[type=file]"))
    browser.find_element("css selector", f"#{name} input[type=file]").send_keys(str(path))


def shows(browser, name: str, expected: np.ndarray) -> None:
    eventually(lambda: np.abs(shrunk(picture(browser, name)).astype(int) - expected).max() <= 2)


def tab(browser, label: str) -> None:
    buttons = browser.find_elements("css selector", "button[role=tab]")
    browser.execute_script("arguments[0].click()", next(b for b in buttons if b.text == label and b.is_displayed()))


@pytest.fixture(scope="module")
def files(cases, tmp_path_factory) -> tuple[np.ndarray, list[Path]]:
    """Two images, and their files."""
    images = cases[0]["swap/image_s"][:2]
    paths = [tmp_path_factory.mktemp("images") / f"{number}.png" for number in range(2)]
    for image, path in zip(images, paths, strict=True):
        Image.fromarray(image[..., 0]).save(path)
    return images, paths


def set_value(browser, selector: str, value: float) -> None:
    script = """const field = document.querySelector(arguments[0]); field.value = arguments[1];
        for (const name of ["input", "change", "pointerup", "blur"])
            field.dispatchEvent(new Event(name, {bubbles: true}))"""
    browser.execute_script(script, selector, str(value))


def captions(browser, name: str) -> list[str]:
    return [part.text for part in browser.find_elements("css selector", f"#{name} .caption-label")]


def of_folder(folder: Path, name: str) -> np.ndarray:
    """[1, H, W, 1] uint8."""
    return np.asarray(Image.open(folder / name))[None, ..., None]


def test_few_of_20_000_files_are_shown_and_copied(browser, cache):
    shown = eventually(lambda: captions(browser, "image_s_files"))
    assert shown == [f"person{number:02}/000.png" for number in range(12)]
    assert "20,000 images" in browser.find_element("css selector", "#image_s_page").text
    # Two chosen images, six of the grid, and what the page shows.
    assert sum(path.is_file() for path in cache.rglob("*")) < 25
    keep(browser, "opened")


def test_pages_lead_through_the_files(browser):
    set_value(browser, "#image_z_page input[type=number]", 3)
    eventually(lambda: captions(browser, "image_z_files")[0] == "person04/001.png")
    assert captions(browser, "image_s_files")[0] == "person00/000.png"


def choose(browser, name: str, text: str, number: int) -> None:
    """Searches for a text, which this number of names contain, and chooses the last file shown."""
    browser.find_element("css selector", f"#{name}_find textarea, #{name}_find input").send_keys(text)
    eventually(lambda: f"({number:,} images)" in browser.find_element("css selector", f"#{name}_page").text)
    eventually(lambda: text.lower() in captions(browser, f"{name}_files")[0])
    click_last_file(browser, name)


def click_last_file(browser, name: str) -> None:
    """Clicks the last file shown, wherever it is: the page may still be moving."""
    thumbnails = browser.find_elements("css selector", f"#{name}_files button.thumbnail-item")
    browser.execute_script("arguments[0].click()", thumbnails[-1])


def test_a_file_is_found_by_its_name_and_chosen(browser, folder, model):
    choose(browser, "image_s", "PERSON07/", 1_000)
    choose(browser, "image_z", "n12/99", 10)
    swapped = model.swap(of_folder(folder, "person07/000.png"), of_folder(folder, "person12/000.png"))
    shows(browser, "swap", swapped[0])
    keep(browser, "chosen")


def test_a_search_without_a_result_says_so(browser):
    browser.find_element("css selector", "#image_z_find textarea, #image_z_find input").send_keys(" nobody")
    eventually(lambda: "No file name" in browser.find_element("css selector", "#image_z_page").text)
    eventually(lambda: not captions(browser, "image_z_files"))
    keep(browser, "nothing_found")


def test_a_chosen_file_can_be_chosen_again(browser, folder, model, files):
    chosen = of_folder(folder, "person07/000.png")
    upload(browser, "image_s", files[1][0])
    upload(browser, "image_z", files[1][0])
    for name in ("swap", "between"):
        shows(browser, name, model.reconstruct(files[0][:1])[0])
    click_last_file(browser, "image_s")
    shows(browser, "swap", model.swap(chosen, files[0][:1])[0])


def test_uploads_are_swapped_at_once(browser, model, files):
    images, paths = files
    for name, path in zip(("image_s", "image_z"), paths, strict=True):
        upload(browser, name, path)
    shows(browser, "swap", model.swap(images[:1], images[1:])[0])
    keep(browser, "swap")


def test_the_slider_moves_through_the_interpolation(browser, model, files):
    (a, b), _ = files
    for weight in (0.25, 1.0):
        set_value(browser, "#weight_z input[type=range]", weight)
        shows(browser, "between", model.interpolate(a[None], b[None], 0.0, weight)[0])
    keep(browser, "interpolation")


def test_samples_come_from_their_seeds(browser, model, files):
    images, _ = files
    tab(browser, "Prior samples")
    eventually(lambda: browser.find_elements("css selector", "#seed input"))
    for seed in (5, 6):
        set_value(browser, "#seed input", seed)
        shows(browser, "samples", model.sample(images[:1], np.array([seed]))[0])
    eventually(lambda: len(browser.find_elements("css selector", "#samples .grid-wrap img")) == 8)
    keep(browser, "samples")


def test_the_grid_has_the_layout_of_the_paper(browser, model, folder):
    tab(browser, "Swap grid")
    images = np.concatenate([of_folder(folder, f"person{number:02}/000.png") for number in range(6)])
    swaps = model.swap(np.tile(images, (6, 1, 1, 1)), images.repeat(6, axis=0))
    expected = arrange_swaps(swaps[::7], swaps)
    eventually(lambda: np.abs(picture(browser, "grid").astype(int) - expected).max() <= 2)
    keep(browser, "grid")


def test_a_file_of_the_folder_is_added_to_the_grid(browser):
    tab(browser, "Swap grid")
    eventually(lambda: len(captions(browser, "files_files")) == 12)
    width = eventually(lambda: picture(browser, "grid").shape[1])
    click_last_file(browser, "files")
    eventually(lambda: picture(browser, "grid").shape[1] > width)


def test_an_upload_that_is_no_image_is_refused(browser, model, files, tmp_path):
    images, paths = files
    (tmp_path / "broken.png").write_bytes(paths[0].read_bytes()[:60])
    upload(browser, "image_s", tmp_path / "broken.png")
    eventually(lambda: re.search("is not a PNG or JPEG image", browser.find_element("tag name", "body").text, re.I))
    keep(browser, "no_image")
    upload(browser, "image_s", paths[1])
    shows(browser, "swap", model.reconstruct(images[1:])[0])


def test_s_may_come_from_several_images(browser, model, files, folder):
    (a, b), paths = files
    other = of_folder(folder, "person03/000.png")
    for name, path in zip(("image_s", "image_z"), paths, strict=True):
        upload(browser, name, path)
    shows(browser, "swap", model.swap(a[None], b[None])[0])
    upload(browser, "more_s", folder / "person03/000.png")
    group = [np.concatenate([a[None], other])]
    shows(browser, "swap", model.swap(group, b[None])[0])
    tab(browser, "Prior samples")
    shows(browser, "samples", model.sample(group, np.array([6]))[0])
    tab(browser, "Interpolation")
    set_value(browser, "#weight_z input[type=range]", 0.0)
    codes_a, s = model.encode(a[None]), model.encode_s(group)
    shows(browser, "between", model.decode(s, codes_a.z.mean)[0])
    keep(browser, "several_images")


def test_nothing_is_fetched_from_elsewhere(browser, address):
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert urls and all(url.startswith((address, "data:", "blob:", "chrome")) for url in urls)


def keep(browser, name: str) -> None:
    """Writes a screenshot to look at, if the environment says where."""
    if SCREENSHOTS in os.environ:
        browser.save_screenshot(str(Path(os.environ[SCREENSHOTS], f"{name}.png")))
