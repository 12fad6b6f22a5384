"""A published checkpoint as a codec computes what PyTorch computes with it."""

from types import SimpleNamespace

import numpy as np
import pytest

from dfv.config.fields import ConfigError
from dfv.config.schema import Config
from dfv.evaluation.results import RESULTS_FILE, Results
from dfv.training.model_files import SHIPPED_MODELS

torch = pytest.importorskip("torch", reason="PyTorch is not installed; it comes with the extra `benchmark`")

from torch import nn  # noqa: E402

from benchmarks.pytorch.published import NAMES, PublishedCodec  # noqa: E402
from benchmarks.studies import published_checkpoints  # noqa: E402

CONFIG = Config.of(dataset="mnist", s_dim=16, z_dim=16)
NUM_IMAGES = 5


def convolutions():
    layers = nn.ModuleDict()
    for number, (width_in, width) in enumerate(((1, 16), (16, 32), (32, 64)), 1):
        layers[f"convolution_{number}"] = nn.Conv2d(width_in, width, 5, stride=2, padding=1)
    return layers


def transposed_convolutions():
    layers = nn.ModuleDict()
    for number, (width_in, width, padding) in enumerate(((128, 32, 0), (32, 16, 0), (16, 1, 1)), 1):
        layers[f"deconvolution_{number}"] = nn.ConvTranspose2d(width_in, width, 4, stride=2, padding=padding)
    return layers


@pytest.fixture(params=NAMES, ids=["this method", "cycle-consistent VAE"])
def networks(request, tmp_path):
    torch.manual_seed(0)
    mean, log_var, s, from_z, from_s = request.param
    encoder = nn.ModuleDict({name: nn.Linear(256, 16) for name in (mean, log_var, s)})
    encoder["conv_model"] = convolutions()
    decoder = nn.ModuleDict({name: nn.Linear(16, 256) for name in (from_z, from_s)})
    decoder["deconv_model"] = transposed_convolutions()
    for name, network in (("encoder", encoder), ("decoder", decoder)):
        torch.save(network.state_dict(), tmp_path / name)
    return encoder, decoder, request.param


def test_codes_and_images_are_those_of_pytorch(networks, tmp_path):
    encoder, decoder, (mean, log_var, s, from_z, from_s) = networks
    images = np.random.default_rng(0).integers(0, 256, (NUM_IMAGES, 28, 28, 1), np.uint8)
    with torch.no_grad():
        x = torch.from_numpy(images.transpose(0, 3, 1, 2) / np.float32(255))
        for layer in encoder["conv_model"].values():
            x = nn.InstanceNorm2d(layer.out_channels)(layer(x)).relu()
        codes = {name: encoder[name](x.flatten(1)) for name in (mean, log_var, s)}
        x = nn.functional.leaky_relu(torch.cat([decoder[from_z](codes[mean]), decoder[from_s](codes[s])], 1), 0.2)
        x = x.view(NUM_IMAGES, 128, 2, 2)
        first, second, last = decoder["deconv_model"].values()
        for layer in (first, second):
            x = nn.functional.leaky_relu(nn.InstanceNorm2d(layer.out_channels)(layer(x)), 0.2)
        expected = 255 * last(x).sigmoid().numpy().transpose(0, 2, 3, 1)

    codec = PublishedCodec(tmp_path, CONFIG)
    ours = codec.encode(images)
    np.testing.assert_allclose(ours.s, codes[s], atol=1e-4)
    np.testing.assert_allclose(ours.z.mean, codes[mean], atol=1e-4)
    np.testing.assert_allclose(ours.z.log_var, codes[log_var], atol=1e-4)
    np.testing.assert_allclose(codec.reconstruct(images), expected, atol=0.51)


def test_other_files_are_refused(networks, tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "encoder")
    with pytest.raises(ConfigError, match="has checkpoints of other networks"):
        PublishedCodec(tmp_path, CONFIG)
    (tmp_path / "encoder").write_bytes(b"no checkpoint")
    with pytest.raises(ConfigError, match="encoder is not a readable PyTorch checkpoint"):
        PublishedCodec(tmp_path, CONFIG)


def test_results_do_not_claim_a_training_by_dfv(networks, tmp_path, monkeypatch):
    def evaluate(model, splits, config, folder, seeds):
        assert isinstance(model, PublishedCodec) and seeds == 2
        return Results.read(SHIPPED_MODELS / "mnist" / RESULTS_FILE)

    monkeypatch.setattr(published_checkpoints, "evaluate", evaluate)
    monkeypatch.setattr(published_checkpoints, "load_data", lambda config: None)
    options = published_checkpoints.Options(checkpoints=str(tmp_path), seeds=2, out=str(tmp_path))
    published_checkpoints.run(SimpleNamespace(record=lambda group: options))
    run = Results.read(tmp_path / RESULTS_FILE).run
    assert not run.flags and run.num_steps == 0 and "--seeds=2" in run.command
