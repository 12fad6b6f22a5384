"""Algorithm 1 in plain PyTorch, for comparison: separate passes, and one fused pass."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.pytorch.networks import Adversary, Decoder, Encoder, mirrored
from dfv.config.schema import Config, ConfigError
from dfv.model.layers.convolution_stacks import ImageShape

Terms = dict[str, torch.Tensor]

# What PyTorch has not been given; the paper's run files have these values.
PAPER = {
    "shared_variance": False,
    "reconstruct_all": False,
    "adversary_sees_prior_samples": False,
    "real_label": 1.0,
    "adversary_max_accuracy": 1.0,
    "identity_mmd_weight": 0.0,
    "mean_kernel_weight": 0.0,
    "latent_adversary_weight": 0.0,
    "generator_optimizer": "adam",
    "adversary_optimizer": "adam",
    "pretrain_s_steps": 0,
}


def check_supported(config: Config) -> None:
    """Raises ConfigError unless the losses are the paper's."""
    given = config.as_flags()
    wrong = [name for name, value in PAPER.items() if given[name] != value]
    wrong += [name for name in ("swap_other_weight", "prior_sample_weight") if not given[name]]
    if wrong:
        raise ConfigError(f"PyTorch has the paper's losses alone; not as there: --{', --'.join(wrong)}.")


class Batch(NamedTuple):
    """x1, x1_same, x2: [B, C, H, W] uint8, mirrored; labels2: [B, L] int64, the adversary's columns."""

    x1: torch.Tensor
    x1_same: torch.Tensor
    x2: torch.Tensor
    labels2: torch.Tensor

    @classmethod
    def of(cls, batch: dict[str, np.ndarray], columns: slice) -> "Batch":
        """The batch of `dfv.data.pipeline`' form."""
        x1, x1_same, x2 = (mirrored(np.asarray(batch[name])) for name in ("x1", "x1_same", "x2"))
        return cls(x1, x1_same, x2, torch.from_numpy(np.asarray(batch["labels2"])[:, columns].astype(np.int64)))


class Noise(NamedTuple):
    """N(0, I) for the posterior of x1 and for prior samples, both [B, z_dim]."""

    posterior: torch.Tensor
    prior: torch.Tensor


def to_float(images: torch.Tensor) -> torch.Tensor:
    """uint8 pixels as float32 in [-1, 1]."""
    return images.float() / 127.5 - 1.0


class Training:
    """Networks, an optimizer for each player, and the losses of Algorithm 1."""

    def __init__(self, config: Config, image_shape: ImageShape, label_sizes: tuple[int, ...], fused_adam: bool):
        self.loss, self.noise_shape = config.loss, (config.training.batch_size, config.network.z_dim)
        self.encoder = Encoder(config.network, image_shape)
        self.decoder = Decoder(config.network, image_shape)
        self.adversary = Adversary(config.network, image_shape, label_sizes)
        self.generator_parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.adversary_parameters = list(self.adversary.parameters())
        training = config.training
        options = {"betas": (training.adam_beta1, 0.999), "eps": 1e-7, "fused": fused_adam or None}
        rates = training.generator_learning_rate, training.adversary_learning_rate
        self.generator_optimizer = torch.optim.Adam(self.generator_parameters, rates[0], **options)
        self.adversary_optimizer = torch.optim.Adam(self.adversary_parameters, rates[1], **options)

    def step(self, batch: Batch, noise: Noise) -> Terms:
        """Both players' updates; the terms of the losses, each before its player's."""
        raise NotImplementedError

    def step_with_fresh_noise(self, batch: Batch) -> Terms:
        """`step` with noise drawn for it."""
        return self.step(batch, Noise(torch.randn(self.noise_shape), torch.randn(self.noise_shape)))

    def _generator_terms(
        self, x1: torch.Tensor, posterior: tuple, images: list[torch.Tensor], fake_logits: list[torch.Tensor]
    ) -> Terms:
        mean, log_var = posterior
        kl = 0.5 * (mean**2 + log_var.exp() - log_var - 1.0).sum(1).mean()
        return {
            "reconstruction": F.mse_loss(images[0], x1),
            "swap_same": F.mse_loss(images[1], x1),
            "kl": kl / x1[0].numel(),
            "swap_other": F.softplus(-fake_logits[0]).mean(),
            "prior_sample": F.softplus(-fake_logits[1]).mean(),
        }

    def _generator_loss(self, terms: Terms) -> torch.Tensor:
        loss = self.loss
        return (
            loss.reconstruction_weight * terms["reconstruction"]
            + loss.swap_same_weight * terms["swap_same"]
            + loss.kl_weight * terms["kl"]
            + loss.swap_other_weight * terms["swap_other"]
            + loss.prior_sample_weight * terms["prior_sample"]
        )

    def _adversary_terms(self, real_logits: torch.Tensor, fake_logits: torch.Tensor) -> Terms:
        return {
            "adversary_on_real": F.softplus(-real_logits).mean(),
            "adversary_on_fakes": F.softplus(fake_logits).mean(),
        }


def _sample(mean: torch.Tensor, log_var: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    return mean + torch.exp(0.5 * log_var) * noise


class SeparatePasses(Training):
    """As the public re-implementations write it: each image is encoded and each pair decoded on its own.

    The adversary's step encodes and decodes anew; here the same images, since a fresh pair costs as much. Kinder to
    PyTorch than those, which update encoder and decoder twice, and let the adversary's loss run back through them.
    """

    def __init__(self, config: Config, image_shape: ImageShape, label_sizes: tuple[int, ...]):
        super().__init__(config, image_shape, label_sizes, fused_adam=False)

    def step(self, batch: Batch, noise: Noise) -> Terms:
        return self._train_generator(batch, noise) | self._train_adversary(batch, noise)

    def _train_generator(self, batch: Batch, noise: Noise) -> Terms:
        x1, x1_same, x2 = (to_float(images) for images in batch[:3])
        self.generator_optimizer.zero_grad()
        s1, mean, log_var = self.encoder(x1)
        s1_same, _, _ = self.encoder(x1_same)
        s2, _, _ = self.encoder(x2)
        z1 = _sample(mean, log_var, noise.posterior)
        reconstruction, swap_same = self.decoder(z1, s1), self.decoder(z1, s1_same)
        swap_other, prior_sample = self.decoder(z1, s2), self.decoder(noise.prior, s2)
        logits = [self.adversary(swap_other, batch.labels2), self.adversary(prior_sample, batch.labels2)]
        terms = self._generator_terms(x1, (mean, log_var), [reconstruction, swap_same], logits)
        self._generator_loss(terms).backward()
        self.generator_optimizer.step()
        return terms

    def _train_adversary(self, batch: Batch, noise: Noise) -> Terms:
        x1, x2 = to_float(batch.x1), to_float(batch.x2)
        self.adversary_optimizer.zero_grad()
        _, mean, log_var = self.encoder(x1)
        s2, _, _ = self.encoder(x2)
        swap_other = self.decoder(_sample(mean, log_var, noise.posterior), s2).detach()
        terms = self._adversary_terms(self.adversary(x2, batch.labels2), self.adversary(swap_other, batch.labels2))
        (terms["adversary_on_real"] + terms["adversary_on_fakes"]).backward()
        self.adversary_optimizer.step()
        return terms


class Fused(Training):
    """As dfv's own step: one pass of the encoder, one of the decoder, the adversary on the images made in it.

    No code goes through a fully connected layer that no loss asks for, or twice.

    Each loss is differentiated for its own player's weights alone, Adam is PyTorch's fused one, and channels come
    last, which is its quicker layout on CPUs.
    """

    def __init__(self, config: Config, image_shape: ImageShape, label_sizes: tuple[int, ...]):
        super().__init__(config, image_shape, label_sizes, fused_adam=True)
        for network in (self.encoder, self.decoder, self.adversary):
            network.to(memory_format=torch.channels_last)

    def step(self, batch: Batch, noise: Noise) -> Terms:
        images = to_float(torch.cat(batch[:3]))
        x1, _, x2 = images.chunk(3)
        s, mean, log_var = self.encoder(images, z_of=len(x1))
        z1 = _sample(mean, log_var, noise.posterior)
        s1, s1_same, s2 = self.decoder.from_s(s).chunk(3)
        z1, prior = self.decoder.from_z(torch.cat([z1, noise.prior])).chunk(2)
        pairs = torch.cat([z1 + s1, z1 + s1_same, z1 + s2, prior + s2])
        *reconstructions, swap_other, prior_sample = self.decoder.images(pairs).chunk(4)
        real, swap, prior = (self.adversary(x, batch.labels2) for x in (x2, swap_other, prior_sample))
        terms = self._generator_terms(x1, (mean, log_var), reconstructions, [swap, prior])
        adversary_terms = self._adversary_terms(real, swap)
        adversary_loss = adversary_terms["adversary_on_real"] + adversary_terms["adversary_on_fakes"]
        self._update(self.generator_optimizer, self._generator_loss(terms), self.generator_parameters, True)
        self._update(self.adversary_optimizer, adversary_loss, self.adversary_parameters, False)
        return terms | adversary_terms

    def _update(
        self, optimizer: torch.optim.Optimizer, loss: torch.Tensor, parameters: list[nn.Parameter], keep: bool
    ) -> None:
        gradients = torch.autograd.grad(loss, parameters, retain_graph=keep)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
