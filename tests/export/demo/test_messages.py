"""Mistakes on the page's command line end in one message that names the option and the cause."""

import shutil
import socket
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from dfv.data.image_operations import encode_png
from dfv.model.codes import prior_samples
from export import ExportError
from export.demo.__main__ import main
from export.demo.address import check_address
from export.demo.exported_model import ExportedModel
from export.demo.model_folder import newest_version
from export.demo.model_process import ModelProcess


@pytest.fixture
def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--model is missing"),
        (["--model=nowhere"], "--model=nowhere cannot be read as a folder (No such file"),
        (["--model=."], "--model=. has no exported model"),
        (["--model=.", "--port=0"], "--port expects 1 to 65535"),
        (["--model=.", "--host=no such host"], "--host=no such host is not a known host name"),
    ],
)
def test_a_mistake_ends_in_one_message(arguments, message, free_port, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([f"--port={free_port}", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("export.demo: ")


def test_the_home_directory_is_expanded(exported, free_port, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(exported.parent.parent))
    pytest.importorskip("gradio", reason="the page needs the extra `demo`")
    assert main([f"--model=~/{exported.parent.name}", "--images=~/no_images", f"--port={free_port}"]) == 2
    assert f"--images={exported.parent.parent}/no_images does not exist" in capsys.readouterr().err


def test_a_port_in_use_is_named():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(ExportError, match=f"--port={port} is in use on 127.0.0.1"):
            check_address("127.0.0.1", port)


def test_an_address_of_another_computer_is_not_a_port_in_use(free_port):
    with pytest.raises(ExportError, match="--host=192.0.2.1 is not an address of this computer"):
        check_address("192.0.2.1", free_port)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_addresses_of_this_computer_are_accepted(host, free_port):
    check_address(host, free_port)
    check_address(host, free_port)  # the check itself leaves the port free


def test_a_port_that_needs_more_rights_is_named(monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ExportError, match="--port=80 needs root privileges"):
        check_address("127.0.0.1", 80)


def test_a_run_is_not_an_exported_model(tmp_path):
    (tmp_path / "config.flags").touch()
    with pytest.raises(ExportError, match="is a run: export it first"):
        newest_version(tmp_path)


def test_the_greatest_version_is_shown(tmp_path):
    for version in ("2", "10", "11"):
        (tmp_path / version).mkdir()
    for version in ("2", "10"):
        (tmp_path / version / "saved_model.pb").touch()
    assert newest_version(tmp_path) == tmp_path / "10"
    assert newest_version(tmp_path / "2") == tmp_path / "2"


def cut(path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    "damage",
    [
        lambda model: cut(model / "saved_model.pb"),
        lambda model: (model / "saved_model.pb").write_bytes(b"no model"),
        lambda model: (model / "saved_model.pb").write_bytes(b""),
        lambda model: shutil.rmtree(model / "variables"),
        lambda model: cut(next((model / "variables").glob("*.data*"))),
        lambda model: (model / "variables" / "variables.index").write_bytes(b""),
    ],
)
def test_a_damaged_model_is_named(damage, exported, tmp_path):
    model = shutil.copytree(exported, tmp_path / "1")
    damage(model)
    with pytest.raises(ExportError, match=f"--model: {model} (cannot be loaded|has no signature)"):
        ExportedModel(tmp_path)


def test_a_file_that_is_gone_or_a_folder_is_not_called_damaged(exported, tmp_path):
    model = ExportedModel(exported.parent)
    (tmp_path / "broken.png").touch()
    for name, reason in (
        ("gone.png", "no longer exists"),
        ("", "cannot be read"),
        ("broken.png", "is not a PNG or JPEG"),
    ):
        with pytest.raises(ExportError, match=reason):
            model.encode([str(tmp_path / name)])


def test_samples_of_a_model_that_an_earlier_version_exported(exported, model, tmp_path, monkeypatch):
    """It has no signature `prior`, and its samples are decoded from the noise itself."""
    page, seeds = ExportedModel(exported.parent), np.array([3, 4])
    image = np.random.default_rng(0).integers(0, 256, model.image_shape, np.uint8)
    (tmp_path / "image.png").write_bytes(encode_png(image))
    files, s = [str(tmp_path / "image.png")], np.repeat(model.encode(image[None]).s, 2, axis=0)
    today, noise = (draw(tf.constant(seeds), 3) for draw in (lambda seed, _: model.prior_samples(seed), prior_samples))
    np.testing.assert_allclose(page.sample(files, seeds), model.decode(s, today.numpy()), atol=1)
    signatures = {name: page._signature(name) for name in ("encode_bytes", "decode")}
    monkeypatch.setattr(page, "_loaded", SimpleNamespace(signatures=signatures))
    np.testing.assert_allclose(page.sample(files, seeds), model.decode(s, noise.numpy()), atol=1)
    assert np.abs(today - noise).max() > 0.1


@pytest.fixture
def rewritten_graphs():
    """Graphs run as in any program, not as tests/conftest.py has them."""
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    yield
    tf.config.optimizer.set_experimental_options(before)


def test_a_model_in_another_process_gives_the_same_answers(exported, tmp_path, rewritten_graphs):
    here, files = ExportedModel(exported.parent), [str(tmp_path / "image.png"), str(tmp_path / "gone.png")]
    image = np.random.default_rng(0).integers(0, 256, here.image_shape, np.uint8)
    (tmp_path / "image.png").write_bytes(encode_png(image))
    with ModelProcess(exported.parent) as there:
        there.wait()
        for name in ("image_shape", "fit", "examples_dir"):
            assert getattr(there, name) == getattr(here, name)
        s, z = there.encode(files[:1])
        np.testing.assert_array_equal(s, here.encode(files[:1])[0])
        np.testing.assert_array_equal(there.decode(s, z), here.decode(s, z))
        np.testing.assert_array_equal(there.sample(files[:1], np.arange(2)), here.sample(files[:1], np.arange(2)))
        with pytest.raises(ExportError, match="gone.png no longer exists"):
            there.encode(files)
        with pytest.raises(ExportError, match="the model has failed"):
            there.decode(s[:, 1:], z)
        np.testing.assert_array_equal(there.decode(s, z), here.decode(s, z))
        there._process.kill()
        with pytest.raises(ExportError, match="process of the model has ended"):
            there.encode(files[:1])


def test_a_model_that_cannot_be_loaded_in_another_process_is_named(tmp_path):
    with (
        ModelProcess(tmp_path) as model,
        pytest.raises(ExportError, match=f"--model={tmp_path} has no exported model"),
    ):
        model.wait()
