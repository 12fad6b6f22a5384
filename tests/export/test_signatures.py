"""What the files declare, and that a row's result is its own."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry

from dfv.data.image_operations import encode_png
from export.verification import Arrays, compare, pixels_of

IMAGE, CODES = (
    ("uint8", (13, 10, 1)),
    {"s": ("float32", (5,)), "z_mean": ("float32", (3,)), "z_log_var": ("float32", (3,))},
)
BYTES, SEED, WEIGHT = ("string", ()), ("int64", ()), ("float32", ())
DECLARED = {
    "serving_default": ({"image": IMAGE}, CODES),
    "encode": ({"image": IMAGE}, CODES),
    "decode": ({"s": ("float32", (5,)), "z": ("float32", (3,))}, {"image": IMAGE}),
    "reconstruct": ({"image": IMAGE}, {"image": IMAGE}),
    "swap": ({"image_s": IMAGE, "image_z": IMAGE}, {"image": IMAGE}),
    "sample": ({"image_s": IMAGE, "seed": SEED}, {"image": IMAGE}),
    "prior": ({"seed": SEED}, {"z": ("float32", (3,))}),
    "interpolate": (
        {"image_a": IMAGE, "image_b": IMAGE, "weight_s": WEIGHT, "weight_z": WEIGHT}, {"image": IMAGE}
    ),
    "encode_bytes": ({"image_bytes": BYTES}, CODES),
    "swap_bytes": ({"image_s_bytes": BYTES, "image_z_bytes": BYTES}, {"image_bytes": BYTES}),
    "sample_bytes": ({"image_s_bytes": BYTES, "seed": SEED}, {"image_bytes": BYTES}),
}  # fmt: skip


@pytest.fixture(scope="module")
def graph(exported: Path) -> "saved_model_pb2.MetaGraphDef":
    content = saved_model_pb2.SavedModel.FromString((exported / "saved_model.pb").read_bytes())
    assert len(content.meta_graphs) == 1
    return content.meta_graphs[0]


def described(info) -> tuple[str, tuple[int, ...]]:
    shape = [dim.size for dim in info.tensor_shape.dim]
    assert not info.tensor_shape.unknown_rank and shape[0] == -1
    return tf.as_dtype(info.dtype).name, tuple(shape[1:])


def test_names_types_and_shapes_are_as_promised(graph):
    declared = {
        name: tuple(
            {key: described(info) for key, info in side.items()} for side in (signature.inputs, signature.outputs)
        )
        for name, signature in graph.signature_def.items()
        if not name.startswith("__")
    }
    assert declared == DECLARED
    methods = {graph.signature_def[name].method_name for name in DECLARED}
    assert methods == {"tensorflow/serving/predict"}


def test_nothing_in_it_keeps_a_state_or_draws_at_random_without_a_seed(graph):
    nodes = [
        *graph.graph_def.node,
        *(node for function in graph.graph_def.library.function for node in function.node_def),
    ]
    stateful = {node.op for node in nodes if (op := op_def_registry.get(node.op)) and op.is_stateful}
    # Variables that are read, saved and restored; checks; and functions that hold them.
    allowed = {
        "Assert", "AssignVariableOp", "DisableCopyOnRead", "If", "MergeV2Checkpoints", "ReadVariableOp", "RestoreV2",
        "SaveV2", "StatefulPartitionedCall", "VarHandleOp", "While",
    }  # fmt: skip
    assert stateful <= allowed
    writers = [f for f in graph.graph_def.library.function if any(n.op == "AssignVariableOp" for n in f.node_def)]
    assert all("restore" in function.signature.name for function in writers)


def test_the_variables_are_written_once(exported, model):
    size = sum(path.stat().st_size for path in (exported / "variables").glob("*.data*"))
    weights = sum(np.prod(v.shape) for v in model.folded().variables) * 4
    assert weights <= size < weights + 16 * 1024


@pytest.mark.parametrize("name", DECLARED)
def test_a_row_alone_padded_or_among_others_gives_the_same(name, loaded, cases):
    inputs: Arrays = {key.split("/")[1]: value for key, value in cases[0].items() if key.split("/")[0] == name}
    together = loaded[name](**inputs)
    for row in range(3):
        rows = {"alone": [row], "padded": [row, 0, 0, 0, 0, 0, 0, 0], "among others": [row, *reversed(range(3))]}
        for what, chosen in rows.items():
            result = loaded[name](**{key: value[chosen] for key, value in inputs.items()})
            for key, value in result.items():
                assert close(value.numpy()[:1], together[key].numpy()[row : row + 1]), (what, key)


def close(received: np.ndarray, expected: np.ndarray) -> bool:
    if expected.dtype == object:
        received, expected = (
            np.stack([pixels_of(encoded, 1) for encoded in values]) for values in (received, expected)
        )
    difference, limit = compare(received, expected)
    return difference <= limit


def test_a_seed_is_a_picture(loaded, cases):
    images = cases[0]["sample/image_s"][[0, 0, 0, 1]]
    seeds = np.array([7, 8, 7, 7], np.int64)
    samples = [loaded["sample"](image_s=images, seed=seeds)["image"].numpy() for _ in range(2)]
    np.testing.assert_array_equal(*samples)
    a, b, again, other = samples[0].astype(int)
    np.testing.assert_array_equal(a, again)
    assert np.abs(a - b).max() > 5 and np.abs(a - other).max() > 5


def test_s_comes_from_the_first_image_and_z_from_the_second(loaded, model, cases):
    a, b = cases[0]["swap/image_s"], cases[0]["swap/image_z"]
    np.testing.assert_allclose(loaded["swap"](image_s=a, image_z=b)["image"].numpy(), model.swap(a, b), atol=1)
    assert np.abs(model.swap(a, b).astype(int) - model.swap(b, a)).max() > 10
    weights = np.float32([0.0, 0.25, 1.0]), np.float32([1.0, 0.5, -0.5])
    line = loaded["interpolate"](image_a=a, image_b=b, weight_s=weights[0], weight_z=weights[1])["image"].numpy()
    np.testing.assert_allclose(line, model.interpolate(a, b, *weights), atol=1)
    np.testing.assert_allclose(loaded["reconstruct"](image=a)["image"].numpy(), model.reconstruct(a), atol=1)


def test_samples_are_those_of_the_python_model(loaded, model, cases):
    images, seeds = cases[0]["sample/image_s"], np.array([3, -5, 2**40])
    received = loaded["sample"](image_s=images, seed=seeds)["image"].numpy()
    np.testing.assert_allclose(received, model.sample(images, seeds), atol=1)
    encoded = loaded["sample_bytes"](image_s_bytes=[encode_png(image) for image in images], seed=seeds)[
        "image_bytes"
    ].numpy()
    np.testing.assert_allclose(np.stack([pixels_of(png, 1) for png in encoded]), received, atol=1)


def test_no_rows_give_no_rows(loaded, cases):
    for name in DECLARED:
        inputs = {key.split("/")[1]: value[:0] for key, value in cases[0].items() if key.split("/")[0] == name}
        for key, value in loaded[name](**inputs).items():
            assert value.shape == (0, *DECLARED[name][1][key][1])
