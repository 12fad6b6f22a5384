"""A program ends though it keeps iterators whose buffers are still being filled."""

import subprocess
import sys
import threading
import time

from dfv.data import interpreter_exit

PROGRAM = """
import time
import numpy as np
from dfv.data.dataset import ImageSet
from dfv.data.pipeline import triplets

images = ImageSet(np.zeros((6, 4, 4, 1), np.uint8), np.arange(6, dtype=np.int32) % 3)
kept = [iter(triplets(images, batch_size=2, seed=seed)) for seed in range(16)]
print(*[next(batches)["x1"].shape for batches in kept][0], time.time())
"""


def test_a_program_that_keeps_iterators_ends():
    finished = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=600)
    ended_at = time.time()
    assert finished.returncode == 0, finished.stderr[-2000:]
    *shape, last_line_at = finished.stdout.split()
    assert shape == ["2", "4", "4", "1"] and ended_at - float(last_line_at) < 15


def test_the_end_is_put_off_until_reads_are_over(monkeypatch):
    begun, ended_at = threading.Event(), []

    def read(seconds: float) -> None:
        with interpreter_exit.delay_exit():
            begun.set()
            time.sleep(seconds)
            ended_at.append(time.monotonic())

    for seconds, longest, waited in ((0.5, 10.0, True), (1.5, 0.1, False)):
        monkeypatch.setattr(interpreter_exit, "MAX_WAIT_SECONDS", longest)
        begun.clear()
        reader = threading.Thread(target=read, args=(seconds,))
        reader.start()
        begun.wait()
        interpreter_exit.wait_for_calls()
        assert (len(ended_at) == 1 and time.monotonic() >= ended_at[0] + interpreter_exit.IDLE_SECONDS) == waited
        reader.join()
        ended_at.clear()
