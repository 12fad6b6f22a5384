"""The EXIF orientation of JPEG images, read and applied inside the graph: TensorFlow's decoder ignores it."""

import tensorflow as tf

_TAG, _SHORT, _UPRIGHT = 0x0112, 3, 1
_EXIF, _EXIF_START, _SCAN = 0xE1, b"Exif\0\0", 0xDA
_HEAD_LENGTH = 2**18  # bytes; cameras write the EXIF segment, of up to 64 KiB, first or second
_ENTRY_LENGTH = 12  # bytes of an entry of a TIFF directory: tag 2, type 2, count 4, value 4


def jpeg_orientation(encoded: tf.Tensor) -> tf.Tensor:
    """Returns the EXIF orientation, int64 [], of a JPEG image, string []: 1 to 8; 1 (upright) if it has no valid one.

    EXIF metadata is searched for in the first 256 KiB.
    """
    head = tf.io.decode_raw(tf.strings.substr(encoded, 0, _HEAD_LENGTH), tf.uint8)
    at = _find_exif(head)
    tiff = head[at + 4 + len(_EXIF_START) : at + 2 + _number(head, at + 2, 2)]
    orientation = _tiff_orientation(tiff)
    return tf.where((orientation >= 1) & (orientation <= 8), orientation, _UPRIGHT)


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Returns an image [h, w, C] turned upright, given its EXIF orientation, int64 []; [w, h, C] for 5 to 8."""
    turned = tf.cond(orientation >= 5, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    mirrored = tf.cond(_is_in(orientation, (2, 3, 6, 7)), lambda: tf.reverse(turned, (1,)), lambda: turned)
    return tf.cond(_is_in(orientation, (3, 4, 7, 8)), lambda: tf.reverse(mirrored, (0,)), lambda: mirrored)


def _is_in(value: tf.Tensor, values: tuple[int, ...]) -> tf.Tensor:
    return tf.reduce_any(value == tf.constant(values, tf.int64))


def _find_exif(head: tf.Tensor) -> tf.Tensor:
    """Returns where the EXIF segment starts, int64 []; where the pixels or the bytes end if there is none."""

    def is_other(at: tf.Tensor) -> tf.Tensor:
        marker = _number(head, at + 1, 1)
        is_exif = (marker == _EXIF) & (_number(head, at + 4, 6) == int.from_bytes(_EXIF_START, "big"))
        return (_number(head, at, 1) == 0xFF) & (marker != _SCAN) & ~is_exif

    def following(at: tf.Tensor) -> tuple[tf.Tensor]:
        return (at + 2 + _number(head, at + 2, 2),)

    return tf.while_loop(is_other, following, (tf.constant(2, tf.int64),))[0]


def _tiff_orientation(tiff: tf.Tensor) -> tf.Tensor:
    """Returns the orientation in TIFF data, uint8 [n], as int64 []; 1 if there is none. No data at all are allowed."""
    is_little_endian = _number(tiff, 0, 2) == int.from_bytes(b"II", "big")

    def number(at: tf.Tensor | int, size: int) -> tf.Tensor:
        return tf.where(is_little_endian, _number(tiff, at, size, little_endian=True), _number(tiff, at, size))

    directory = number(4, 4)
    entries = tiff[directory + 2 : directory + 2 + _ENTRY_LENGTH * number(directory, 2)]
    table = tf.cast(
        tf.reshape(entries[: tf.size(entries) // _ENTRY_LENGTH * _ENTRY_LENGTH], (-1, _ENTRY_LENGTH)), tf.int64
    )
    weights = tf.where(is_little_endian, tf.constant([1, 256], tf.int64), tf.constant([256, 1], tf.int64))
    tag, kind, value = (tf.reduce_sum(table[:, at : at + 2] * weights, 1) for at in (0, 2, 8))
    found = tf.boolean_mask(value, (tag == _TAG) & (kind == _SHORT))
    return tf.concat([[tf.constant(_UPRIGHT, tf.int64)], found], 0)[-1]


def _number(data: tf.Tensor, at: tf.Tensor | int, size: int, little_endian: bool = False) -> tf.Tensor:
    """Returns the unsigned integer in the bytes [at, at + size) of uint8 [n], as int64 []; missing bytes count as 0."""
    found = tf.cast(data[at : at + size], tf.int64)
    found = tf.pad(found, [[0, size - tf.size(found)]])
    powers = [256**power for power in range(size)]
    return tf.reduce_sum(found * tf.constant(powers if little_endian else powers[::-1], tf.int64))
