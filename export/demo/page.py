"""The demo page: its controls, what they look like, and what each of them changes."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from export import ExportError
from export.demo.actions import (
    LARGEST_SEED,
    MAX_ON_GRID,
    NUM_SAMPLES,
    PICTURE_SIDE,
    interpolated,
    sampled,
    swap_grid,
    swapped,
)
from export.demo.file_chooser import add_chooser
from export.demo.image_files import ImageFiles, find_images
from export.demo.model_process import ModelProcess

NUM_ON_GRID = 6  # at first
MORE = 1  # the position of the further images for s, which are optional, among the inputs of actions
# Seconds between two deletions of temporary files, and the age from which they are deleted: every picture is one.
DELETE_TEMPORARY_FILES = (300, 3600)
POLICY = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"
# Labels must not lie over images, and file names must be legible.
STYLE = """img { image-rendering: pixelated }
.labelled { padding-top: 28px }
.fitted img { width: 100%; height: 100%; object-fit: contain }
.chooser .grid-container { grid-template-columns: repeat(6, minmax(0, 1fr)) }
.chooser .grid-wrap { overflow-x: hidden }
.chooser .caption-label { left: 0; right: 0; max-width: none; padding: 1px 3px; font-size: 10px; line-height: 1.2;
    white-space: normal; overflow-wrap: anywhere; text-align: left }
@media (max-width: 640px) {
    .labelled { padding-top: 46px }
    .tab-container button { padding: 0 6px; font-size: 14px }
    .chooser .grid-container, #samples .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) }
    .chooser, .chooser .grid-wrap { height: auto !important; max-height: none !important }
}"""
BUTTONS = ["download", "fullscreen"]  # not the one that shares
LABELLED: dict[str, Any] = {"format": "png", "buttons": BUTTONS, "elem_classes": "labelled"}
Event = Callable[..., Any]
INTRODUCTION = """# {name}
The model encodes an image as two codes: **s**, what all images of one identity have in common, and **z**, everything
else, such as pose, lighting or style. Choose or upload two images, PNG or JPEG of any size. They are processed on the
computer that serves this page and are not sent anywhere else."""


def build(model: ModelProcess, name: str, files: ImageFiles | None) -> gr.Blocks:
    """Returns the page of a model; `files` can be chosen on it."""
    paths = [str(path) for path in files.paths.values()] if files else []
    first, last = (paths[0], paths[-1]) if paths else (None, None)
    with gr.Blocks(title=name, analytics_enabled=False, delete_cache=DELETE_TEMPORARY_FILES) as page:
        gr.Markdown(INTRODUCTION.format(name=name))
        with gr.Row():
            image_s, image_z = _upload(first, "Image for s", "image_s"), _upload(last, "Image for z", "image_z")
            swap = _picture("Swap: s of the first image, z of the second", "swap")
        if files:
            with gr.Row():
                for image in (image_s, image_z):
                    with gr.Column():
                        add_chooser(page, files, model, image)
        label = "More images of the identity of the first image (optional): s is the mean over all of them"
        more_s = gr.Files(label=label, height=120, elem_id="more_s")
        inputs = [image_s, more_s, image_z]
        changes = [page.load, *(each.change for each in inputs)]
        _on_change(inputs, changes, swap, _checked(model, swapped, MORE))
        with gr.Tab("Interpolation"):
            _add_interpolation(model, inputs, changes)
        with gr.Tab("Prior samples"):
            _add_prior_samples(model, [image_s, more_s], [page.load, image_s.change, more_s.change])
        with gr.Tab("Swap grid"):
            _add_swap_grid(page, model, files, paths[:NUM_ON_GRID])
    return page


def _add_interpolation(model: ModelProcess, inputs: list[Any], changes: list[Event]) -> None:
    weight_s, weight_z = _weight("s", "weight_s"), _weight("z", "weight_z")
    between = _picture("Interpolation", "between")
    events = [*changes, weight_s.change, weight_z.change]
    _on_change([*inputs, weight_s, weight_z], events, between, _checked(model, interpolated, MORE))


def _add_prior_samples(model: ModelProcess, inputs: list[Any], changes: list[Event]) -> None:
    seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=LARGEST_SEED, elem_id="seed")
    label = "s as above, z sampled from the prior; click one to enlarge or download it"
    options = {"columns": NUM_SAMPLES, "height": 200, "elem_id": "samples"}
    samples = gr.Gallery(label=label, **options, **LABELLED)
    _on_change([*inputs, seed], [*changes, seed.change], samples, _checked(model, sampled, MORE))


def _add_swap_grid(page: gr.Blocks, model: ModelProcess, files: ImageFiles | None, paths: list[str]) -> None:
    """With the images at these paths at first."""
    on_grid = gr.Files(paths or None, label=f"Images, at most {MAX_ON_GRID}", height=160, elem_id="files")
    if files:
        add_chooser(page, files, model, on_grid)
    label = "Each column has the s of the image above it, each row the z of the image left of it"
    grid = gr.Image(label=label, elem_id="grid", interactive=False, **LABELLED)
    _on_change([on_grid], [page.load, on_grid.change], grid, _checked(model, swap_grid))


def _upload(file: str | None, label: str, name: str) -> gr.Image:
    options = {"sources": ["upload"], "buttons": ["fullscreen"], "height": PICTURE_SIDE}
    image = gr.Image(file, label=label, elem_id=name, type="filepath", elem_classes=["fitted", "labelled"], **options)
    # The model gets the file itself, so that one that is not an image is refused by the model's own message. (With a
    # subclass, the library would write a .pyi file next to this one.)
    image.preprocess = lambda payload: payload and payload.path
    return image


def _picture(label: str, name: str) -> gr.Image:
    options = {"buttons": BUTTONS, "height": PICTURE_SIDE, "elem_classes": ["fitted", "labelled"]}
    return gr.Image(label=label, elem_id=name, interactive=False, format="png", **options)


def _in_new_files(output: Any) -> Any:
    """Makes every picture that the output shows a new file, and returns it.

    The library names files by their content, and writes a picture that is shown again to the same file while a browser
    may be reading it, which then shows a broken one.
    """
    cache, postprocess = Path(output.GRADIO_CACHE), output.postprocess

    def to_new_files(value: Any) -> Any:
        output.GRADIO_CACHE = str(cache / uuid.uuid4().hex)
        return postprocess(value)

    output.postprocess = to_new_files
    return output


def _weight(code: str, name: str) -> gr.Slider:
    return gr.Slider(0, 1, 0, step=0.05, label=f"{code}: 0 = first image, 1 = second image", elem_id=name)


def _on_change(inputs: list[Any], events: list[Event], output: Any, function: Callable[..., Any]) -> None:
    # Only the last of many moves of a slider is computed.
    options = {"show_progress": "hidden", "trigger_mode": "always_last"}
    gr.on(events, function, inputs, _in_new_files(output), **options)


def _checked(model: ModelProcess, make: Callable[..., Any], optional: int | None = None) -> Callable[..., Any]:
    """Returns the function as the page calls it: None until all inputs are given; an ExportError is shown.

    optional: position of an input that may be missing.
    """

    def function(*values: Any) -> Any:
        if any(value in (None, []) for position, value in enumerate(values) if position != optional):
            return None
        try:
            return make(model, *values)
        except ExportError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return function


def serve(model: ModelProcess, name: str, images: Path | None, host: str, port: int) -> None:
    """Serves the page until it is stopped; images: None for the model's own. Raises ExportError, or OSError."""
    files = find_images(images) if images else None
    model.wait()
    if files is None and model.examples_dir.is_dir():
        files = find_images(model.examples_dir)
    page = build(model, name, files)
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["monospace"]}  # the library's own come from the network
    page.launch(
        server_name=host, server_port=port, share=False, quiet=True, show_error=True, ssr_mode=False,
        prevent_thread_lock=True, theme=gr.themes.Default(**fonts), css=STYLE, footer_links=[],
        app_kwargs={"middleware": [Middleware(_SameOriginPolicy)]},
    )  # fmt: skip
    print(f"The page is at http://{host}:{port}; Ctrl-C stops it.", flush=True)
    page.block_thread()


class _SameOriginPolicy:
    """Adds a header by which the browser fetches nothing from other servers, whatever the page's library asks for."""

    def __init__(self, app: Any):
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", POLICY)]
            await send(message)

        await self.app(scope, receive, send_with_policy)
