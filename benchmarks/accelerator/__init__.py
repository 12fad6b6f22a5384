"""The training step where TensorFlow is not: exported as StableHLO, run under JAX on an accelerator, adopted back.

    python -m benchmarks.accelerator.export --flagfile=configs/mnist.flags --out=programs/mnist   # TensorFlow
    python benchmarks/accelerator/run.py programs/mnist --out=trained                              # JAX and NumPy alone
    python -m benchmarks.accelerator.adopt programs/mnist trained/mnist --run_dir=runs/mnist       # TensorFlow

What runs there is what `Disentangler.train_step` compiles to, with its triplets: a function of the same seed and step.
"""
