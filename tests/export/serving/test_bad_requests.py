"""Hundreds of wrong requests: each is refused in words or answered rightly, and the next good one still works."""

import io
import json

import numpy as np
import pytest
import serving_stand_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.memory import peak_mib, reset_peak
from export.verification import Arrays, compare

LIGHT = settings(
    max_examples=600, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
SIGNATURES = (
    "encode",
    "decode",
    "reconstruct",
    "swap",
    "sample",
    "prior",
    "interpolate",
    "encode_bytes",
    "swap_bytes",
    "sample_bytes",
)
DTYPES = (np.uint8, np.int32, np.int64, np.float16, np.float32, np.float64, np.bool_, np.complex64, object)
BAD_NUMBERS = (np.nan, np.inf, -np.inf, 1e38, -1e38, 2e6)


@pytest.fixture(scope="module")
def stand_in(exported) -> serving_stand_in.StandIn:
    return serving_stand_in.StandIn(exported.parent)


def good(cases: tuple[Arrays, Arrays], signature: str) -> Arrays:
    """Three good rows."""
    arrays = {key.split("/")[1]: values for key, values in cases[0].items() if key.startswith(f"{signature}/")}
    return {key: values.astype(object) if values.dtype.kind == "S" else values for key, values in arrays.items()}


def shapes(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape near this one: other sizes, more or fewer dimensions, none, empty."""
    size = st.integers(0, 15)
    change = draw(st.sampled_from(["size", "drop", "add", "scalar", "any"]))
    if change == "size":
        axis = draw(st.integers(0, len(shape) - 1))
        return (*shape[:axis], draw(size), *shape[axis + 1 :])
    if change in ("drop", "add"):
        return shape[1:] if change == "drop" else (draw(st.integers(0, 2)), *shape)
    return () if change == "scalar" else tuple(draw(st.lists(size, max_size=5)))


@st.composite
def broken_bytes(draw: st.DrawFn, encoded: bytes) -> bytes:
    """An image with bytes changed, cut off or added; or none at all."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=64))
    at, new = draw(st.integers(0, len(encoded))), draw(st.binary(max_size=8))
    return encoded[:at] + new + encoded[at + draw(st.integers(0, 8)) :]


@st.composite
def spoiled(draw: st.DrawFn, inputs: Arrays) -> Arrays:
    """The inputs with one thing wrong, most of the time."""
    inputs = dict(inputs)
    name = draw(st.sampled_from(sorted(inputs)))
    values = inputs[name]
    change = draw(st.sampled_from(["dtype", "shape", "rows", "content", "missing", "extra"]))
    if change == "dtype":
        dtype = draw(st.sampled_from(DTYPES))
        inputs[name] = np.zeros(values.shape, dtype) if dtype is not object else np.full(values.shape, b"x", object)
    elif change == "shape":
        shape = shapes(draw, values.shape)
        inputs[name] = np.full(shape, b"x", object) if values.dtype == object else np.ones(shape, values.dtype)
    elif change == "rows":
        inputs[name] = values[: draw(st.integers(0, 2))]
    elif change == "content" and values.dtype == object:
        values = values.copy()
        values[draw(st.integers(0, 2))] = draw(broken_bytes(values[0]))
        inputs[name] = values
    elif change == "content" and values.dtype.kind == "f":
        values = values.copy()
        values.flat[draw(st.integers(0, values.size - 1))] = draw(st.sampled_from(BAD_NUMBERS))
        inputs[name] = values
    elif change == "missing":
        del inputs[name]
    elif change == "extra":
        inputs[draw(st.text(max_size=8))] = np.zeros(3, np.float32)
    return inputs


def check_answer(answer: Arrays, rows: int) -> None:
    for name, values in answer.items():
        assert values.shape[0] == rows, name
        assert values.dtype.kind != "f" or np.isfinite(values).all(), name


@given(data=st.data(), signature=st.sampled_from(SIGNATURES))
@LIGHT
def test_wrong_tensors(stand_in, cases, data, signature):
    inputs = data.draw(spoiled(good(cases, signature)))
    try:
        answer = stand_in.versions[1].predict(signature, inputs)
    except serving_stand_in.Fault as fault:
        assert fault.http in (400, 404) and len(fault.message) > 10
    else:
        check_answer(answer, {len(values) for values in inputs.values()}.pop())
    after = stand_in.versions[1].predict("encode", good(cases, "encode"))
    difference, limit = compare(after["s"], cases[1]["encode/s"])
    assert difference <= limit


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["b64", "image", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(body=st.dictionaries(st.sampled_from(["signature_name", "instances", "inputs", "x"]), JSON, max_size=4) | JSON)
@settings(LIGHT, max_examples=200)
def test_wrong_json(stand_in, body):
    try:
        stand_in.rest("/v1/models/tiny:predict", json.dumps(body).encode())
    except serving_stand_in.Fault as fault:
        assert fault.http in (400, 404) and fault.message


def fresh_peak_mib() -> float:
    """What is in use now, from where a new peak begins: earlier tests' must not hide this one's."""
    reset_peak()
    return peak_mib()


def large_png(height: int, width: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def test_a_png_of_a_hundred_megapixels_is_refused_before_it_is_unpacked(stand_in):
    encoded, before = large_png(10_000, 10_000), fresh_peak_mib()
    with pytest.raises(serving_stand_in.Fault, match="at most 33554432 pixels") as caught:
        stand_in.versions[1].predict("encode_bytes", {"image_bytes": np.array([encoded] * 4, object)})
    assert "10000" in caught.value.message and peak_mib() - before < 100


def test_the_largest_png_is_read_within_bounds(stand_in):
    encoded, before = large_png(4096, 8192), fresh_peak_mib()
    answer = stand_in.versions[1].predict("encode_bytes", {"image_bytes": np.array([encoded] * 2, object)})
    check_answer(answer, 2)
    assert peak_mib() - before < 1500


def test_ten_thousand_rows_are_refused(stand_in):
    before = fresh_peak_mib()
    with pytest.raises(serving_stand_in.Fault, match="at most 4096 rows"):
        stand_in.versions[1].predict("encode", {"image": np.zeros((10_000, 13, 10, 1), np.uint8)})
    assert peak_mib() - before < 100
    check_answer(stand_in.versions[1].predict("encode", {"image": np.zeros((4096, 13, 10, 1), np.uint8)}), 4096)
