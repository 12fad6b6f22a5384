"""Stacks of convolutions that halve or double an image's resolution, and their sizes (supplementary material)."""

import math
from typing import Any

from keras import layers

from dfv.config.schema import NetworkConfig
from dfv.model.layers.batch_norm import batch_norm
from dfv.model.layers.image_convolutions import ToImage

ImageShape = tuple[int, int, int]

SMALLEST_MAP = 4  # height or width of the deepest map, where the number of resolutions is not given


def strided_sizes(size: int, num_layers: int) -> list[int]:
    """Sizes at each resolution, halved and rounded up, beginning with the image: 28 gives 28, 14, 7, 4."""
    sizes = [size]
    for _ in range(num_layers):
        sizes.append(math.ceil(sizes[-1] / 2))
    return sizes


def level_widths(widths: tuple[int, ...], image_shape: ImageShape) -> tuple[int, ...]:
    """Channels at each resolution: those given, or as many as bring the shorter side of the image to 4 to 7 pixels."""
    size, num_levels = min(image_shape[:2]), 1
    while not widths and strided_sizes(size, num_levels + 1)[-1] >= SMALLEST_MAP:
        num_levels += 1
    return widths or (32, 64, *[128] * (num_levels - 2))[:num_levels]


def convolution_stack(config: NetworkConfig, image_shape: ImageShape, dtype: Any) -> list[layers.Layer]:
    """The encoder's convolutions, each with BatchNorm and ReLU."""
    per_resolution, kernel = (1, 5) if config.backbone == "three_5x5" else (2, 3)
    stack: list[layers.Layer] = []
    for width in level_widths(config.widths, image_shape):
        for stride in (2, 1)[:per_resolution]:
            stack += [
                layers.Conv2D(width, kernel, stride, padding="same", use_bias=False, dtype=dtype),
                batch_norm(dtype),
                layers.ReLU(dtype=dtype),
            ]
    return stack


def transposed_stack(config: NetworkConfig, image_shape: ImageShape, dtype: Any) -> list[layers.Layer]:
    """The mirrored convolutions, transposed where the stride is 2; the last outputs the image, without BatchNorm."""
    per_resolution, kernel = (1, 5) if config.backbone == "three_5x5" else (2, 3)
    widths = level_widths(config.widths, image_shape)
    widths_out = (image_shape[2], *widths[:-1])
    heights, breadths = (strided_sizes(size, len(widths)) for size in image_shape[:2])
    stack: list[layers.Layer] = []
    for level in reversed(range(len(widths))):
        if per_resolution == 2:
            stack += [
                layers.Conv2D(widths[level], kernel, padding="same", use_bias=False, dtype=dtype),
                batch_norm(dtype),
                layers.ReLU(dtype=dtype),
            ]
        # An odd size n comes from (n + 1) / 2, an even one from n / 2: the output padding tells which.
        padding = tuple(1 - size % 2 for size in (heights[level], breadths[level]))
        last = level == 0
        convolution = ToImage if last else layers.Conv2DTranspose
        stack.append(
            convolution(
                widths_out[level], kernel, 2, padding="same", output_padding=padding, use_bias=last, dtype=dtype
            )
        )
        if not last:
            stack += [batch_norm(dtype), layers.ReLU(dtype=dtype)]
    return stack
