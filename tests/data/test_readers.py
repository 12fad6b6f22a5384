"""A program ends though it keeps iterators whose buffers are still being filled."""

import subprocess
import sys
import time

PROGRAM = """
import time
import numpy as np
from dfv.data.image_set import ImageSet
from dfv.data.triplets import triplets

images = ImageSet(np.zeros((6, 4, 4, 1), np.uint8), np.arange(6, dtype=np.int32) % 3)
kept = [iter(triplets(images, batch_size=2, seed=seed)) for seed in range(16)]
print(*[next(batches)["x1"].shape for batches in kept][0], time.time())
"""


def test_a_program_that_keeps_iterators_ends():
    finished = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    ended_at = time.time()
    assert finished.returncode == 0, finished.stderr[-2000:]
    *shape, last_line_at = finished.stdout.split()
    assert shape == ["2", "4", "4", "1"] and ended_at - float(last_line_at) < 5
