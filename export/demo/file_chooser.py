"""File chooser of the page: search, pages and thumbnails."""

from pathlib import Path

import gradio as gr
from gradio.components.gallery import GalleryData, GalleryImage
from gradio.data_classes import ImageData
from gradio.processing_utils import save_file_to_cache

from export import ExportError
from export.demo.image_files import ImageFiles, thumbnail_url
from export.demo.model_process import ModelProcess

PER_PAGE = 12


def add_chooser(page: gr.Blocks, files: ImageFiles, model: ModelProcess, target: gr.Image | gr.File) -> None:
    """Adds a chooser for `target`, an image or a list of files, to which each chosen file is added.

    For any number of files, only the displayed thumbnails are read and sent.
    """
    name, names, several = target.elem_id, list(files.paths), len(files.paths) > PER_PAGE
    with gr.Row(visible=several):
        find = gr.Textbox(label="Search by file name", elem_id=f"{name}_find")
        number = gr.Slider(1, max(2, _num_pages(names)), 1, step=1, elem_id=f"{name}_page", label=_page_label(names))

    thumbnails = _gallery(f"{target.label}: click to choose", f"{name}_files")

    def shown(text: str | None, number: float | None) -> GalleryData:
        # In a tab that has not been opened, the inputs have no value yet.
        last = int(number or 1) * PER_PAGE
        return _tiles(files, files.search(text or "")[last - PER_PAGE : last], model)

    def found(text: str) -> tuple[gr.Slider, GalleryData]:
        names = files.search(text)
        pages = _num_pages(names)
        slider = gr.Slider(value=1, maximum=max(2, pages), interactive=pages > 1, label=_page_label(names))
        return slider, _tiles(files, names[:PER_PAGE], model)

    def chosen(before: str | list[str] | None, event: gr.SelectData) -> str | list[str]:
        try:
            # The component's own folder, so that the file's folder need not be open to the browser.
            path = save_file_to_cache(files.path(event.value["caption"]), target.GRADIO_CACHE)
        except (ExportError, OSError) as error:
            raise gr.Error(_reason(error), print_exception=False) from error
        return [*(before or []), path] if isinstance(target, gr.File) else path

    options = {"show_progress": "hidden", "trigger_mode": "always_last"}
    gr.on([page.load, number.change], shown, [find, number], thumbnails, **options)
    find.change(found, find, [number, thumbnails], **options)
    thumbnails.select(chosen, target, target, **options)


def _gallery(label: str, name: str) -> gr.Gallery:
    gallery = gr.Gallery(
        label=label,
        elem_id=name,
        elem_classes=["chooser", "labelled"],
        columns=6,
        height=270,
        allow_preview=False,
        object_fit="contain",
        buttons=[],
    )
    # The thumbnails are data URLs, which the library would write to files first.
    gallery.postprocess = lambda value: value or GalleryData(root=[])
    return gallery


def _tiles(files: ImageFiles, names: list[str], model: ModelProcess) -> GalleryData:
    urls = {name: thumbnail_url(files.path(name), model.image_shape, model.fit) for name in names}
    return GalleryData(root=[GalleryImage(image=ImageData(url=url), caption=name) for name, url in urls.items()])


def _num_pages(names: list[str]) -> int:
    return max(1, -(-len(names) // PER_PAGE))


def _page_label(names: list[str]) -> str:
    return f"Page ({len(names):,} images)" if names else "No file name contains this text"


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{Path(str(error.filename)).name} cannot be read ({error.strerror}); choose another file."
    return str(error)
