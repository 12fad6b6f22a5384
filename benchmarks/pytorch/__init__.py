"""The same networks and step in PyTorch, and published checkpoints, to compare with."""

import sys

# PyTorch imports Triton if it is there, which crashes in a process with TensorFlow (two copies of LLVM).
sys.modules.setdefault("triton", None)
