"""Programs that tests start end with the test that started them."""

import subprocess

import pytest


@pytest.fixture(autouse=True)
def no_process_outlives_its_test(monkeypatch):
    """Kills what a failed test leaves running, which would slow down all that follow."""
    started = []

    class Recorded(subprocess.Popen):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    yield
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
