"""The clients, and with them a server's conformance: REST by columns and by rows, and gRPC."""

import io
import json
import re
import urllib.request
from collections.abc import Iterator

import numpy as np
import pytest
import servers
import serving_stand_in
import tensorflow as tf

from dfv.data.image_operations import encode_png
from export.client import Client, GrpcClient, RestClient, ServingError, rest
from export.client.loopback import is_loopback
from export.verification import compare, pixels_of

SIGNATURES = (
    "serving_default", "encode", "decode", "reconstruct", "swap", "sample", "prior", "interpolate", "encode_bytes",
    "swap_bytes", "sample_bytes",
)  # fmt: skip
KINDS = ("columns", "rows", "grpc")


@pytest.fixture(scope="module")
def server(exported) -> Iterator[servers.Server]:
    with servers.any_server(exported.parent) as server:
        yield server


def client_of(server: servers.Server, kind: str, **options: object) -> Client:
    if kind != "grpc":
        return RestClient(server.rest, server.place.name, rows=kind == "rows", **options)
    if server.grpc is None:
        pytest.skip("gRPC needs the serving extra")
    return GrpcClient(server.grpc, server.place.name, **options)


@pytest.fixture(params=KINDS)
def client(request, server) -> Client:
    return client_of(server, request.param, timeout_s=60)


@pytest.fixture(scope="module")
def direct(server):
    """The same files in this process."""
    newest = max(int(path.name) for path in server.place.iterdir() if path.name.isdecimal())
    return tf.saved_model.load(str(server.place / str(newest)))


@pytest.fixture(scope="module")
def inputs(direct) -> dict[str, np.ndarray]:
    """Four rows for every name that an input has."""
    specs = direct.signatures["encode"].structured_input_signature[1]["image"]
    random, shape = np.random.default_rng(0), tuple(specs.shape[1:])
    a, b = random.integers(0, 256, (2, 4, *shape), np.uint8)
    codes = {key: value.numpy() for key, value in direct.signatures["encode"](image=tf.constant(a)).items()}
    pngs, others = ([encode_png(image) for image in images] for images in (a, b))
    weights = np.linspace(0, 1, 4, dtype=np.float32)
    return {
        "image": a, "image_s": a, "image_z": b, "image_a": a, "image_b": b, "weight_s": weights,
        "weight_z": weights[::-1], "seed": np.array([1, -2, 2**40, 1]), "s": codes["s"], "z": codes["z_mean"],
        "image_bytes": pngs, "image_s_bytes": pngs, "image_z_bytes": others,
    }  # fmt: skip


def ask(client: Client, direct, signature: str, inputs: dict) -> tuple[dict, dict]:
    names = direct.signatures[signature].structured_input_signature[1]
    given = {name: inputs[name] for name in names}
    expected = direct.signatures[signature](**{name: tf.constant(value) for name, value in given.items()})
    return client.predict(signature, **given), {name: value.numpy() for name, value in expected.items()}


@pytest.mark.parametrize("signature", SIGNATURES)
def test_every_signature_over_the_wire(client, direct, inputs, signature):
    received, expected = ask(client, direct, signature, inputs)
    assert received.keys() == expected.keys()
    for name, values in expected.items():
        if values.dtype == object:
            received[name], values = (np.stack([pixels_of(png, inputs["image"].shape[-1]) for png in each])
                                      for each in (received[name], values))  # fmt: skip
        difference, limit = compare(received[name], values)
        assert difference <= limit, name


def test_labels_and_versions(server, inputs):
    newest = max(int(path.name) for path in server.place.iterdir() if path.name.isdecimal())
    for options in ({"label": "stable"}, {"label": "canary"}, {"version": newest}):
        for kind in KINDS:
            client = client_of(server, kind, timeout_s=60, **options)
            assert client.predict("encode", image=inputs["image"])["s"].shape[0] == 4
            if server.stand_in:
                assert server.stand_in.asked[-1] == (options.get("version"), options.get("label")), kind


@pytest.mark.parametrize(
    ("signature", "change", "message"),
    [
        ("no_such", {}, "has no signature no_such; it has decode, encode,"),
        ("swap", {"image_z": lambda _: None}, "takes image_s, image_z; received image_s"),
        ("encode", {"more": lambda _: np.zeros(4)}, "takes image; received image, more"),
        ("encode", {"image": lambda image: image / 255}, "image: expected uint8; received float64"),
        ("encode", {"image": lambda image: image.astype(np.uint16)}, "image: expected uint8; received uint16"),
        ("sample", {"seed": lambda _: 3}, "seed: expected a row for each image"),
        ("sample", {"seed": lambda seed: seed[:3]}, "as many rows in each of image_s, seed; received 4, 3"),
        ("decode", {"s": lambda s: s * np.nan}, "expected codes from"),
        ("encode_bytes", {"image_bytes": lambda _: [b"no image"]}, "something else in row"),
        (
            "encode_bytes",
            {"image_bytes": lambda _: ["a.png"]},
            "image_bytes: expected the bytes of image files; received str",
        ),
    ],
)
def test_a_mistake_is_named(client, direct, inputs, signature, change, message):
    names = [] if signature == "no_such" else direct.signatures[signature].structured_input_signature[1]
    given = {name: inputs[name] for name in names}
    given |= {name: spoil(given.get(name)) for name, spoil in change.items()}
    with pytest.raises(ServingError, match=message):
        client.predict(signature, **{name: value for name, value in given.items() if value is not None})
    assert len(client.predict("encode", image=inputs["image"])["s"]) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_model_is_named(server, kind):
    stranger = client_of(server._replace(place=server.place.parent / "other"), kind)
    with pytest.raises(ServingError, match="refused the request to other .*(404|NOT_FOUND)"):
        stranger.predict("encode", image=[])


@pytest.fixture(scope="module")
def stand_in(exported) -> Iterator[servers.Server]:
    with servers.stand_in_server(exported.parent) as server:
        yield server


@pytest.mark.parametrize("kind", KINDS)
def test_a_busy_server_is_asked_again(stand_in, inputs, kind):
    client = client_of(stand_in, kind, timeout_s=60, retries=2)
    busy = serving_stand_in.Fault(503, "UNAVAILABLE", "the queue is full")
    image = inputs["image"][:, :13, :10, :1]
    stand_in.stand_in.failures[:] = [busy, busy]
    assert len(client.predict("encode", image=image)["s"]) == 4
    stand_in.stand_in.failures[:] = [busy] * 3
    with pytest.raises(ServingError, match="no answer for tiny within 60 s and 3 tries .*the queue is full"):
        client.predict("encode", image=image)
    stand_in.stand_in.failures[:] = [serving_stand_in.invalid("no"), busy]
    with pytest.raises(ServingError, match="refused .*: no"):
        client.predict("encode", image=image)
    assert len(stand_in.stand_in.failures) == 1  # a refusal is final


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_not_there_is_reported_in_time(server, kind):
    nowhere = server._replace(rest="http://127.0.0.1:1", grpc=server.grpc and "127.0.0.1:1")
    with pytest.raises(ServingError, match="Is the server running"):
        client_of(nowhere, kind, timeout_s=0.5).predict("encode", image=[])


@pytest.mark.parametrize("rows", [False, True])
def test_large_requests_go_as_gzip_and_get_the_same_answer(stand_in, inputs, rows):
    image = np.tile(inputs["image"][:, :13, :10, :1], (16, 1, 1, 1))
    answers, sizes = [], []
    for compress in (True, False):
        client = RestClient(stand_in.rest, "tiny", rows=rows, timeout_s=60, compress=compress)
        answers.append(client.predict("encode", image=image)["s"])
        encoding, size = stand_in.stand_in.received[-1]
        assert encoding == ("gzip" if compress else None)
        sizes.append(size)
    np.testing.assert_array_equal(*answers)
    assert 5 * sizes[0] < sizes[1]


def test_small_requests_and_those_above_the_limit_of_the_server_go_as_they_are(stand_in, inputs, monkeypatch):
    client = RestClient(stand_in.rest, "tiny", timeout_s=60)
    image = inputs["image"][:, :13, :10, :1]
    client.predict("encode", image=image[:1])
    assert stand_in.stand_in.received[-1][0] is None
    monkeypatch.setattr(rest, "GZIP_UP_TO", 4200)
    assert len(client.predict("encode", image=np.tile(image, (16, 1, 1, 1)))["s"]) == 64
    assert stand_in.stand_in.received[-1][0] is None


@pytest.mark.parametrize("fault", [{"unpacks": False}, {"limit": 4200}])
def test_a_request_that_the_server_cannot_unpack_is_sent_again_as_it_is(stand_in, inputs, monkeypatch, fault):
    monkeypatch.setattr(serving_stand_in, "GZIP_LIMIT", fault.get("limit", serving_stand_in.GZIP_LIMIT))
    monkeypatch.setattr(stand_in.stand_in, "unpacks", fault.get("unpacks", True))
    client = RestClient(stand_in.rest, "tiny", timeout_s=60)
    image = np.tile(inputs["image"][:, :13, :10, :1], (16, 1, 1, 1))
    stand_in.stand_in.received.clear()
    for _ in range(2):
        assert len(client.predict("encode", image=image)["s"]) == 64
    assert [encoding for encoding, _ in stand_in.stand_in.received] == ["gzip", None, None]


def test_a_mistake_in_a_large_request_is_named_and_does_not_end_its_compression(stand_in, inputs):
    client = RestClient(stand_in.rest, "tiny", timeout_s=60)
    s = np.tile(inputs["s"], (64, 1))
    z = np.tile(inputs["z"], (64, 1))
    with pytest.raises(ServingError, match=r"\(HTTP 400\): .*expected codes from"):
        client.predict("decode", s=1e9 * s, z=z)
    client.predict("decode", s=s, z=z)
    assert stand_in.stand_in.received[-1][0] == "gzip"


def test_answers_in_gzip_are_asked_for_and_unpacked(stand_in, inputs, monkeypatch):
    monkeypatch.setattr(stand_in.stand_in, "packs_answers", True)
    codes = {"s": np.tile(inputs["s"], (16, 1)), "z": np.tile(inputs["z"], (16, 1))}
    answers, sizes = [], []
    for compress in (True, False):
        client = RestClient(stand_in.rest, "tiny", timeout_s=60, compress=compress)
        answers.append(client.predict("decode", **codes)["image"])
        encoding, size = stand_in.stand_in.sent[-1]
        assert encoding == ("gzip" if compress else None)
        sizes.append(size)
        with pytest.raises(ServingError, match="HTTP 404.*Servable not found"):  # in gzip too
            RestClient(stand_in.rest, "other", compress=compress).signatures()
    np.testing.assert_array_equal(*answers)
    assert 3 * sizes[0] < sizes[1]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8501", "http://", "http://host:port", "ftp://host:1", "http://host:8501/v1/models/tiny:predict"],
)
def test_a_rest_address_that_is_none_is_refused(address):
    with pytest.raises(ValueError, match=f'address: expected "http://HOST:PORT"; received .{re.escape(address)}'):
        RestClient(address, "tiny")


def test_a_grpc_address_that_is_none_is_refused():
    with pytest.raises(ValueError, match='address: expected "HOST:PORT", without'):
        GrpcClient("http://127.0.0.1:8500", "tiny")


class Answer(io.BytesIO):
    """A body that has arrived whole."""

    length = 0  # of what has not arrived yet, as of an HTTPResponse


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b'{"metadata": 1}', b"\x1f\x8bdamaged"])
def test_an_answer_of_another_server_is_named(body, monkeypatch):
    answer = Answer(body)
    monkeypatch.setattr(rest.urllib.request.OpenerDirector, "open", lambda *_, **__: answer)
    with pytest.raises(ServingError, match="http://there:1: the answer to /metadata is not .* Check the address"):
        RestClient("http://there:1", "tiny").signatures()


@pytest.mark.parametrize("kind", KINDS)
def test_no_proxy_is_asked_for_this_computer(server, inputs, kind, monkeypatch):
    for name in ("http_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # where nothing listens
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(rest.urllib.request, "_opener", None)  # which remembers the proxies of an earlier request
    assert len(client_of(server, kind, timeout_s=60).predict("encode", image=inputs["image"])["s"]) == 4


@pytest.mark.parametrize(
    ("host", "expected"), [("localhost", True), ("127.0.0.2", True), ("::1", True), ("host", False)]
)
def test_this_computer_is_known_by_its_addresses(host, expected):
    assert is_loopback(host) is expected


def test_the_port_of_grpc_is_named_by_the_rest_client(stand_in):
    if stand_in.grpc is None:
        pytest.skip("gRPC needs the extra `serving`")
    with pytest.raises(ServingError, match="the answer is not HTTP. Check the port: that of REST is 8501"):
        RestClient(f"http://{stand_in.grpc}", "tiny").signatures()


def post(server: servers.Server, body: object) -> dict:
    request = urllib.request.Request(f"{server.rest}/v1/models/{server.place.name}:predict", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_the_forms_that_users_write_by_hand(server, inputs, direct):
    image = inputs["image"][:2]
    expected = direct.signatures["encode"](image=tf.constant(image))["s"].numpy()
    bare = post(server, {"instances": image.tolist()})["predictions"]
    np.testing.assert_allclose([row["s"] for row in bare], expected, atol=1e-4)
    columns = post(server, {"inputs": image.tolist()})["outputs"]
    np.testing.assert_allclose(columns["s"], expected, atol=1e-4)
    single = post(server, {"signature_name": "reconstruct", "instances": [{"image": image[0].tolist()}]})
    assert np.shape(single["predictions"]) == (1, *image.shape[1:])
