"""The page: what it shows, and what its controls do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from starlette.middleware import Middleware

from export import ExportError
from export.demo.exported_model import Served

NUM_SAMPLES, NUM_ON_GRID, LARGEST_SEED = 8, 6, 2**31 - 1
SHOWN, GRID = 256, 768
POLICY = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"
STYLE = """img { image-rendering: pixelated }
.chosen img { width: 100%; height: 100%; object-fit: contain }"""
BUTTONS = ["download", "fullscreen"]  # not the one that shares
DRAWN = "s of the first image, z drawn at random"
INTRODUCTION = """# {name}
The model splits an image into **s**, what stays the same for one identity, and **z**, all the rest (pose, light,
style). Choose or upload two images; PNG or JPEG of any size will do. Everything stays on this computer."""


def build(served: Served, name: str, examples: list[str]) -> gr.Blocks:
    """The page over a model; `examples` are image files to choose from."""
    first, second = (examples[0], examples[-1]) if examples else (None, None)
    with gr.Blocks(title=name, analytics_enabled=False) as page:
        gr.Markdown(INTRODUCTION.format(name=name))
        with gr.Row():
            chosen_s, chosen_z = _upload(first, "s comes from", "image_s"), _upload(second, "z comes from", "image_z")
            swap = _picture("s of the first, z of the second", "swap")
        if examples:
            for label, image in (("Choose s", chosen_s), ("Choose z", chosen_z)):
                gr.Examples(examples, image, label=label, examples_per_page=12)
        chosen = [chosen_s, chosen_z]
        _on_change(chosen, [page.load, chosen_s.change, chosen_z.change], swap, _shown(served, swapped))
        with gr.Tab("Interpolation"):
            weight_s = gr.Slider(0, 1, 0, step=0.05, label="s: from the first image to the second", elem_id="weight_s")
            weight_z = gr.Slider(0, 1, 0, step=0.05, label="z: from the first image to the second", elem_id="weight_z")
            between = _picture("in between", "between")
            events = [page.load, chosen_s.change, chosen_z.change, weight_s.change, weight_z.change]
            _on_change([*chosen, weight_s, weight_z], events, between, _shown(served, interpolated))
        with gr.Tab("Prior samples"):
            seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=LARGEST_SEED, elem_id="seed")
            samples = gr.Gallery(label=DRAWN, columns=NUM_SAMPLES, height=200, buttons=BUTTONS, elem_id="samples")
            _on_change([chosen_s, seed], [page.load, chosen_s.change, seed.change], samples, _shown(served, sampled))
        with gr.Tab("Swap grid"):
            files = gr.Files(examples[:NUM_ON_GRID] or None, label="Images, up to 12", height=160, elem_id="files")
            label = "s from the top, z from the left"
            grid = gr.Image(label=label, elem_id="grid", interactive=False, format="png", buttons=BUTTONS)
            _on_change([files], [page.load, files.change], grid, _shown(served, swap_grid))
    return page


def _upload(file: str | None, label: str, name: str) -> gr.Image:
    options = {"sources": ["upload"], "buttons": ["fullscreen"], "height": SHOWN}
    image = gr.Image(file, label=label, elem_id=name, type="filepath", elem_classes="chosen", **options)
    # The file is handed on as it is, so that one that is no image gets the model's own answer. (A subclass would do,
    # but for it the library writes a .pyi file beside this one.)
    image.preprocess = lambda payload: payload and payload.path  # type: ignore[method-assign]
    return image


def _picture(label: str, name: str) -> gr.Image:
    options = {"buttons": BUTTONS, "height": SHOWN, "elem_classes": "chosen"}
    image = gr.Image(label=label, elem_id=name, interactive=False, format="png", **options)
    # The library names files by what they hold: two outputs alike would write one while the browser fetches it.
    image.GRADIO_CACHE = str(Path(image.GRADIO_CACHE, name))
    return image


def _on_change(inputs: list[Any], events: list[Callable], output: Any, function: Callable) -> None:
    # Only the last of many moves of a slider is worth an answer.
    gr.on(events, function, inputs, output, show_progress="hidden", trigger_mode="always_last")


def _shown(served: Served, make: Callable) -> Callable:
    """The function as the page calls it: nothing until all its inputs are there, and mistakes in words."""

    def function(*values: Any) -> Any:
        if any(value in (None, []) for value in values):
            return None
        try:
            return make(served, *values)
        except ExportError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return function


def swapped(served: Served, image_s: str, image_z: str) -> np.ndarray:
    """The s of one file with the z of another."""
    s, z = served.codes([image_s, image_z])
    return enlarged(served.decode(s[:1], z[1:])[0])


def interpolated(served: Served, image_a: str, image_b: str, weight_s: float, weight_z: float) -> np.ndarray:
    """s and z on the line from one file's (0) to the other's (1)."""
    s, z = served.codes([image_a, image_b])
    (s_a, s_b), (z_a, z_b) = s, z
    s, z = s_a + weight_s * (s_b - s_a), z_a + weight_z * (z_b - z_a)
    return enlarged(served.decode(s[None], z[None])[0])


def sampled(served: Served, image_s: str, seed: float) -> list[np.ndarray]:
    """Images with the file's s, from this seed on."""
    if not 0 <= seed <= LARGEST_SEED:
        raise ExportError(f"The seed must be from 0 to {LARGEST_SEED}.")
    return [enlarged(image) for image in served.sample(image_s, int(seed) + np.arange(NUM_SAMPLES))]


def swap_grid(served: Served, files: list[str]) -> np.ndarray:
    """The files' reconstructions as top row (s) and left column (z), and every swap."""
    files = files[:12]
    s, z = served.codes(files)
    number = len(files)
    swaps = served.decode(np.tile(s, (number, 1)), z.repeat(number, axis=0))
    cells = swaps.reshape(number, number, *swaps.shape[1:])
    own = cells[np.arange(number), np.arange(number)]
    whole = np.full((number + 1, number + 1, *swaps.shape[1:]), 255, np.uint8)
    whole[0, 1:], whole[1:, 0], whole[1:, 1:] = own, own, cells
    height, width = swaps.shape[1:3]
    return enlarged(whole.transpose(0, 2, 1, 3, 4).reshape((number + 1) * height, (number + 1) * width, -1), GRID)


def enlarged(image: np.ndarray, side: int = SHOWN) -> np.ndarray:
    """[h, w, 3] uint8, by a whole factor up to `side` pixels, so that small pixels stay crisp."""
    factor = max(1, side // max(image.shape[:2]))
    return np.broadcast_to(image.repeat(factor, 0).repeat(factor, 1), (*(factor * n for n in image.shape[:2]), 3))


def launch(place: Path, images: Path | None, host: str, port: int) -> None:
    """Opens the page and serves it until it is stopped."""
    served = Served(place)
    if images and not served.examples(images):
        raise ExportError(f"--images={images} holds no PNG or JPEG files.")
    page = build(served, place.resolve().name, served.examples(images))
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["monospace"]}  # the library's own come from the network
    page.launch(
        server_name=host, server_port=port, share=False, quiet=True, show_error=True, ssr_mode=False,
        prevent_thread_lock=True, theme=gr.themes.Default(**fonts), css=STYLE, footer_links=[],
        allowed_paths=[str(images or served.folder)], app_kwargs={"middleware": [Middleware(_StaysHere)]},
    )  # fmt: skip
    print(f"http://{host}:{port} - Ctrl-C stops it.", flush=True)
    page.block_thread()


class _StaysHere:
    """Tells the browser to fetch nothing from elsewhere, whatever the page's library asks for."""

    def __init__(self, app: Any):
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", POLICY)]
            await send(message)

        await self.app(scope, receive, send_with_policy)
