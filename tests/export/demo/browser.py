"""What the tests of the page do in the browser: wait, look, click and upload."""

import base64
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

SCREENSHOTS = "DFV_SCREENSHOTS"
WAIT_S = 60


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


def set_value(browser, selector: str, value: float) -> None:
    script = """const field = document.querySelector(arguments[0]); field.value = arguments[1];
        for (const name of ["input", "change", "pointerup", "blur"])
            field.dispatchEvent(new Event(name, {bubbles: true}))"""
    browser.execute_script(script, selector, str(value))


def captions(browser, name: str) -> list[str]:
    return [part.text for part in browser.find_elements("css selector", f"#{name} .caption-label")]


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


def keep(browser, name: str) -> None:
    """Writes a screenshot to look at, if the environment says where."""
    if SCREENSHOTS in os.environ:
        browser.save_screenshot(str(Path(os.environ[SCREENSHOTS], f"{name}.png")))
