"""The same weights in dfv's networks and in the PyTorch ones, copied in either direction."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import keras
import numpy as np
import torch
from torch import nn

from benchmarks.pytorch import networks
from benchmarks.pytorch.reference import Training
from dfv.model import networks as dfv_networks
from dfv.model.disentangler import Disentangler

Reorder = Callable[[np.ndarray], np.ndarray]
Maps = tuple[int, int, int]  # height, width and channels of feature maps


class Pair(NamedTuple):
    """A variable of dfv, a PyTorch tensor with the same numbers, and how to reorder the one as the other."""

    variable: keras.Variable
    tensor: torch.Tensor
    to_pytorch: Reorder = np.asarray
    to_dfv: Reorder = np.asarray


def copy_to_pytorch(pairs: Iterable[Pair]) -> None:
    """Copies weights and moving statistics of dfv's networks."""
    with torch.no_grad():
        for pair in pairs:
            values = pair.to_pytorch(np.asarray(pair.variable))
            pair.tensor.copy_(torch.from_numpy(np.ascontiguousarray(values)))


def copy_to_dfv(pairs: Iterable[Pair]) -> None:
    """Copies weights and moving statistics of the PyTorch networks."""
    for pair in pairs:
        pair.variable.assign(pair.to_dfv(pair.tensor.detach().numpy()))


def all_pairs(model: Disentangler, training: Training) -> Iterator[Pair]:
    """All weights and moving statistics of encoder, decoder and adversary."""
    channels, height, breadth = training.decoder.shape
    yield from _encoder_pairs(model.encoder, training.encoder, (height, breadth, channels))
    yield from _decoder_pairs(model.decoder, training.decoder, (height, breadth, channels))
    yield from _adversary_pairs(model.adversary, training.adversary)


def _encoder_pairs(source: dfv_networks.Encoder, target: networks.Encoder, shape: Maps) -> Iterator[Pair]:
    yield from _stack_pairs(source.stack, target.stack)
    for head, linear in ((source.s_head, target.s_head), (source.z_head, target.z_head)):
        yield Pair(head.kernel, linear.weight, *_maps_of_columns(shape))
        yield Pair(head.bias, linear.bias)


def _decoder_pairs(source: dfv_networks.Decoder, target: networks.Decoder, shape: Maps) -> Iterator[Pair]:
    to_pytorch, to_dfv = _maps_of_columns(shape)
    for head, linear in ((source.from_z, target.from_z), (source.from_s, target.from_s)):
        yield Pair(head.kernel, linear.weight, lambda rows: to_pytorch(rows.T).T, lambda rows: to_dfv(rows.T).T)
    yield from _stack_pairs(source.stack, target.stack)


def _adversary_pairs(source: dfv_networks.Adversary, target: networks.Adversary) -> Iterator[Pair]:
    sources, targets = [*source.convolutions, *source.norms], [*target.convolutions, *target.norms]
    for layer, module in zip(sources, targets, strict=True):
        yield from _layer_pairs(layer, module)
    shapes = [(height, breadth, channels) for channels, height, breadth in target.shapes]
    for shape, tables, embeddings in zip(shapes, source.tables, target.tables, strict=True):
        for table, embedding in zip(tables, embeddings, strict=True):
            yield Pair(table, embedding.weight, *_mirrored_maps(shape))
    yield Pair(source.logit.kernel, target.logit.weight, *_maps_of_columns(shapes[-1]))
    yield Pair(source.logit.bias, target.logit.bias)


def _stack_pairs(source: keras.Sequential, target: nn.Sequential) -> Iterator[Pair]:
    """Layer by layer those that have weights; both orders are the same."""
    layers = [layer for layer in source.layers if layer.variables]
    modules = [module for module in target if list(module.parameters())]
    for layer, module in zip(layers, modules, strict=True):
        yield from _layer_pairs(layer, module)


def _layer_pairs(layer: keras.layers.Layer, module: nn.Module) -> Iterator[Pair]:
    for variable, parameter in zip(layer.trainable_variables, module.parameters(), strict=True):
        if len(variable.shape) == 4:
            yield Pair(variable, parameter, _kernel_to_pytorch, _kernel_to_dfv)
        else:
            yield Pair(variable, parameter)
    if isinstance(module, nn.BatchNorm2d):
        yield Pair(layer.moving_mean, module.running_mean)
        yield Pair(layer.moving_variance, module.running_var)


def _kernel_to_pytorch(kernel: np.ndarray) -> np.ndarray:
    """Height, width, then in and out, mirrored; transposed kernels have out before in, and so has PyTorch reversed."""
    return kernel[::-1, ::-1].transpose(3, 2, 0, 1)


def _kernel_to_dfv(kernel: np.ndarray) -> np.ndarray:
    return kernel.transpose(2, 3, 1, 0)[::-1, ::-1]


def _mirrored_maps(shape: Maps) -> tuple[Reorder, Reorder]:
    """[N, H, W, C] as [N, C H W], mirrored: the order in which PyTorch flattens feature maps; and back."""
    height, breadth, channels = shape

    def to_pytorch(maps: np.ndarray) -> np.ndarray:
        return networks.mirrored(maps).flatten(1).numpy()

    def to_dfv(rows: np.ndarray) -> np.ndarray:
        return rows.reshape(-1, channels, height, breadth).transpose(0, 2, 3, 1)[:, ::-1, ::-1]

    return to_pytorch, to_dfv


def _maps_of_columns(shape: Maps) -> tuple[Reorder, Reorder]:
    """[H W C, N] as `_mirrored_maps` of its columns, and back."""
    to_pytorch, to_dfv = _mirrored_maps(shape)
    return (
        lambda kernel: to_pytorch(kernel.T.reshape(-1, *shape)),
        lambda rows: to_dfv(rows).reshape(len(rows), -1).T,
    )
