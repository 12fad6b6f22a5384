"""The same networks and step in PyTorch, and published checkpoints, to compare with."""

import sys

# PyTorch imports Triton if it is there, which crashes beside TensorFlow (LLVM twice); nothing here is compiled.
sys.modules.setdefault("triton", None)
