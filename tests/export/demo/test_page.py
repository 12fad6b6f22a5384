"""The page in a real browser: swaps, slider, samples, grid, an upload that is no image, and no word to the outside."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dfv.model.image_grids import arrange_swaps
from tests.export.demo.browser import (
    captions,
    choose,
    click_last_file,
    eventually,
    keep,
    picture,
    set_value,
    shows,
    tab,
    upload,
)

BROWSER, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")


def test_no_picture_is_written_to_the_file_of_another():
    page = pytest.importorskip("export.demo.page", reason="the page needs the extra `demo`")
    same = np.full((8, 8, 3), 100, np.uint8)
    swap, between = (page._in_new_files(page._picture("any", name)) for name in ("swap", "between"))
    files = [Path(output.postprocess(same).path) for output in (swap, swap, between)]
    assert len(set(files)) == 3 and len({file.read_bytes() for file in files}) == 1
    assert swap.postprocess(None) is None


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
    proxies = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")  # where nothing listens
    environment = os.environ | {"GRADIO_TEMP_DIR": str(cache)} | proxies
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


@pytest.fixture(scope="module")
def files(cases, tmp_path_factory) -> tuple[np.ndarray, list[Path]]:
    """Two images, and their files."""
    images = cases[0]["swap/image_s"][:2]
    paths = [tmp_path_factory.mktemp("images") / f"{number}.png" for number in range(2)]
    for image, path in zip(images, paths, strict=True):
        Image.fromarray(image[..., 0]).save(path)
    return images, paths


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
