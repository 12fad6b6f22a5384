"""The paper's networks in plain PyTorch, form by form those of `dfv.model.networks`.

A strided convolution with padding k // 2 here is TensorFlow's "same" convolution seen in a mirror: TensorFlow pads
even sizes more at the end, PyTorch more at the beginning. So `weights.py` mirrors every kernel, and images go in
flipped in height and width: then both frameworks compute the same losses, and neither pays for padding of its own.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from dfv.config.schema import NetworkConfig
from dfv.model.layers.convolution_stacks import ImageShape, level_widths, strided_sizes
from dfv.model.networks import LEVELS_WITH_LABELS


def batch_norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-5, momentum=0.01)


class Encoder(nn.Module):
    """Enc(x) = (s, mean and log-variance of z)."""

    def __init__(self, config: NetworkConfig, image_shape: ImageShape):
        super().__init__()
        per_resolution, kernel = (1, 5) if config.backbone == "three_5x5" else (2, 3)
        layers: list[nn.Module] = []
        width_in = image_shape[2]
        widths = level_widths(config.widths, image_shape)
        for width in widths:
            for stride in (2, 1)[:per_resolution]:
                convolution = nn.Conv2d(width_in, width, kernel, stride, kernel // 2, bias=False)
                layers += [convolution, batch_norm(width), nn.ReLU(inplace=True)]
                width_in = width
        height, breadth = (strided_sizes(size, len(widths))[-1] for size in image_shape[:2])
        self.stack = nn.Sequential(*layers, nn.Flatten())
        self.s_head = nn.Linear(height * breadth * width_in, config.s_dim)
        self.z_head = nn.Linear(height * breadth * width_in, 2 * config.z_dim)

    def forward(self, images: torch.Tensor, z_of: int | None = None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        features = self.stack(images)
        return self.s_head(features), *self.z_head(features[:z_of]).chunk(2, 1)


class Decoder(nn.Module):
    """Dec(z, s), the encoder mirrored."""

    def __init__(self, config: NetworkConfig, image_shape: ImageShape):
        super().__init__()
        per_resolution, kernel = (1, 5) if config.backbone == "three_5x5" else (2, 3)
        widths = level_widths(config.widths, image_shape)
        heights, breadths = (strided_sizes(size, len(widths)) for size in image_shape[:2])
        widths_out = (image_shape[2], *widths[:-1])
        self.shape = (widths[-1], heights[-1], breadths[-1])
        self.from_z = nn.Linear(config.z_dim, int(np.prod(self.shape)), bias=False)
        self.from_s = nn.Linear(config.s_dim, int(np.prod(self.shape)), bias=False)
        layers: list[nn.Module] = [batch_norm(widths[-1]), nn.ReLU(inplace=True)]
        for level in reversed(range(len(widths))):
            width, width_out = widths[level], widths_out[level]
            if per_resolution == 2:
                layers += [nn.Conv2d(width, width, kernel, 1, kernel // 2, bias=False), batch_norm(width)]
                layers += [nn.ReLU(inplace=True)]
            extra = (1 - heights[level] % 2, 1 - breadths[level] % 2)
            layers.append(nn.ConvTranspose2d(width, width_out, kernel, 2, kernel // 2, extra, bias=level == 0))
            if level > 0:
                layers += [batch_norm(width_out), nn.ReLU(inplace=True)]
        self.stack = nn.Sequential(*layers)

    def forward(self, z: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        return self.images(self.from_z(z) + self.from_s(s))

    def images(self, features: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.stack(features.view(-1, *self.shape)))


class Adversary(nn.Module):
    """Adv(x, id); a learned map for each label is added to each convolution's output."""

    def __init__(self, config: NetworkConfig, image_shape: ImageShape, label_sizes: tuple[int, ...]):
        super().__init__()
        widths = level_widths(config.adversary_widths, image_shape)
        heights, breadths = (strided_sizes(size, len(widths))[1:] for size in image_shape[:2])
        self.shapes = list(zip(widths, heights, breadths, strict=True))
        widths_in = (image_shape[2], *widths[:-1])
        self.convolutions = nn.ModuleList(
            nn.Conv2d(width_in, shape[0], 5, 2, 2, bias=False)
            for width_in, shape in zip(widths_in, self.shapes, strict=True)
        )
        self.norms = nn.ModuleList(batch_norm(shape[0]) for shape in self.shapes)
        self.tables = nn.ModuleList(
            nn.ModuleList(nn.Embedding(size, int(np.prod(shape))) for size in label_sizes)
            if level >= len(widths) - LEVELS_WITH_LABELS
            else nn.ModuleList()
            for level, shape in enumerate(self.shapes)
        )
        self.logit = nn.Linear(int(np.prod(self.shapes[-1])), 1)

    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        x = images
        for convolution, norm, tables, shape in zip(
            self.convolutions, self.norms, self.tables, self.shapes, strict=True
        ):
            x = convolution(x)
            for column, table in enumerate(tables):
                x = x + table(labels[:, column]).view(-1, *shape)
            x = F.leaky_relu(norm(x), 0.2)
        return self.logit(x.flatten(1))[:, 0]


def num_parameters(network: nn.Module) -> int:
    """Trainable numbers of a network."""
    return sum(parameter.numel() for parameter in network.parameters())


def mirrored(images: np.ndarray) -> torch.Tensor:
    """[N, C, H, W] of [N, H, W, C], flipped in height and width."""
    return torch.from_numpy(np.ascontiguousarray(images[:, ::-1, ::-1].transpose(0, 3, 1, 2)))
