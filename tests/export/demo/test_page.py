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

from export.demo.__main__ import main
from export.demo.exported_model import Served

BROWSER, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
SCREENSHOTS = "DFV_SCREENSHOTS"
WAIT_S = 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "--model is missing"), (["--model=nowhere"], "holds no exported model"), (["--model=.", "--port=0"], "port")],
)
def test_a_mistake_ends_in_one_message(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("export.demo: ")


def test_a_folder_of_folders_is_offered_in_turn(exported, tmp_path):
    for name in ("ann/1.png", "ann/2.PNG", "ann/notes.txt", "bob/1.jpg", "bob/deeper/1.png", "0.jpeg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [str(Path(path).relative_to(tmp_path)) for path in Served(exported.parent).examples(tmp_path)]
    assert found == ["0.jpeg", "ann/1.png", "bob/1.jpg", "ann/2.PNG"]


def test_two_outputs_never_write_the_same_file():
    page = pytest.importorskip("export.demo.page", reason="the page needs the extra `demo`")
    same = np.full((8, 8, 3), 100, np.uint8)
    files = [Path(page._picture("any", name).postprocess(same).path) for name in ("swap", "between")]
    assert files[0] != files[1] and files[0].read_bytes() == files[1].read_bytes()


@pytest.fixture(scope="module")
def address(exported) -> Iterator[str]:
    pytest.importorskip("gradio", reason="the page needs the extra `demo`")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "export.demo", f"--model={exported.parent}", f"--port={port}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert "Ctrl-C" in process.stdout.readline()
        listening = subprocess.run(["ss", "-ltn"], capture_output=True, text=True).stdout if shutil.which("ss") else ""
        assert not listening or re.findall(rf"(\S+):{port}\b", listening) == ["127.0.0.1"]
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


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
        eventually(lambda: not clear())  # or the file goes to the input that is about to be drawn anew
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


def test_the_grid_of_the_examples(browser):
    tab(browser, "Swap grid")
    grid = eventually(lambda: [picture(browser, "grid")])[0]
    assert grid.shape[0] % 7 == 0 and grid.std() > 10  # six images and their margins
    keep(browser, "grid")


def test_an_upload_that_is_no_image_is_told(browser, model, files, tmp_path):
    images, paths = files
    (tmp_path / "broken.png").write_bytes(paths[0].read_bytes()[:60])
    upload(browser, "image_s", tmp_path / "broken.png")
    eventually(
        lambda: re.search("not a PNG or JPEG|choose another", browser.find_element("tag name", "body").text, re.I)
    )
    keep(browser, "no_image")
    upload(browser, "image_s", paths[1])
    shows(browser, "swap", model.reconstruct(images[1:])[0])


def test_nothing_is_fetched_from_elsewhere(browser, address):
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert urls and all(url.startswith((address, "data:", "blob:", "chrome")) for url in urls)


def keep(browser, name: str) -> None:
    """Writes a screenshot to look at, if the environment says where."""
    if SCREENSHOTS in os.environ:
        browser.save_screenshot(str(Path(os.environ[SCREENSHOTS], f"{name}.png")))
