"""Options of the training: optimizers, devices, logs and checkpoints."""

from dataclasses import dataclass

from dfv.config.fields import Checked, Role, option

OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("constant", "cosine")


@dataclass(frozen=True)
class TrainingConfig(Checked):
    """Length, optimizers, devices and output of a run."""

    batch_size: int = option(64, "Triplets per step, over all replicas.", at_least=2)
    num_steps: int = option(10_000, "Number of training steps.", at_least=1, role=Role.LENGTH)
    start_from: str = option(
        "",
        "Folder of a trained run, or name of a shipped model, whose weights training starts from, on other images. Its"
        " network options, image size and colour are the default, and must not be changed. Empty: random weights.",
    )
    seed: int = option(0, "Seed of weights, triplets and noise.", at_least=0, at_most=2**31 - 1, role=Role.REPETITION)
    generator_optimizer: str = option("adam", "Optimizer of encoder and decoder.", choices=OPTIMIZERS)
    adversary_optimizer: str = option("adam", "Optimizer of the adversary.", choices=OPTIMIZERS)
    generator_learning_rate: float = option(2e-4, "Learning rate of encoder and decoder.", at_least=0)
    adversary_learning_rate: float = option(2e-4, "Learning rate of the adversary.", at_least=0)
    latent_adversary_learning_rate: float = option(
        2e-3, "Learning rate of the latent adversary, which always uses Adam.", at_least=0
    )
    generator_schedule: str = option(
        "constant",
        "Learning-rate schedule of encoder and decoder. cosine: constant for the first tenth of the run, then decaying"
        " to zero.",
        choices=SCHEDULES,
    )
    adversary_schedule: str = option(
        "constant",
        "Learning-rate schedule of the adversary, by the number of its updates; see --generator_schedule. All run files"
        " use constant.",
        choices=SCHEDULES,
    )
    latent_adversary_schedule: str = option(
        "constant",
        "Learning-rate schedule of the latent adversary; see --generator_schedule. All run files use constant.",
        choices=SCHEDULES,
    )
    adam_beta1: float = option(
        0.5,
        "Adam's decay rate of the first moment, for encoder, decoder and adversary.",
        at_least=0,
        at_most=0.999,
    )
    sgd_momentum: float = option(
        0.0, "Momentum of SGD, for the players whose optimizer is sgd.", at_least=0, at_most=0.999
    )
    pretrain_s_steps: int = option(
        0,
        "Train the encoder of s as an identity classifier for this many steps, then freeze it and train a separate"
        ' encoder of z (supplementary material, "Using a pre-trained embedding"); 0: train s and z jointly. Does not'
        " work with --flow_layers, --pca_dim, --codebook_size and --start_from.",
        at_least=0,
    )
    strategy: str = option(
        "one_device",
        "Distribution strategy. mirrored: all visible GPUs, or --num_replicas logical CPUs; multi_worker: the workers"
        " listed in TF_CONFIG.",
        choices=("one_device", "mirrored", "multi_worker"),
    )
    num_replicas: int = option(
        2, "Number of logical CPUs of --strategy=mirrored on a machine without GPUs.", at_least=1, at_most=64
    )
    mixed_precision: bool = option(False, "Compute in bfloat16, with weights and losses in float32; for GPUs.")
    jit_compile: bool = option(False, "Compile the training step with XLA; for GPUs; needs --strategy=one_device.")
    deterministic: bool = option(
        False, "Make results bitwise reproducible on one machine, at some cost in speed; needs --strategy=one_device."
    )
    log_steps: int = option(
        100, "Steps between rows of metrics.csv and TensorBoard scalars.", at_least=1, role=Role.OUTPUT
    )
    validation_steps: int = option(
        1000, "Steps between computations of losses and swap grids on validation images.", at_least=1, role=Role.OUTPUT
    )
    checkpoint_steps: int = option(1000, "Steps between checkpoints.", at_least=1, role=Role.OUTPUT)
    checkpoint_minutes: float = option(
        10.0,
        "Maximum number of minutes between checkpoints, if --checkpoint_steps takes longer; 0: no limit.",
        at_least=0,
        role=Role.OUTPUT,
    )
    keep: str = option(
        "last",
        "Weights that the run ends with. last: those of the last step; best: those of the lowest validation loss, among"
        " every --validation_steps steps, which does not work with --include_validation and --strategy=multi_worker.",
        choices=("last", "best"),
    )
    num_checkpoints: int = option(3, "Number of most recent checkpoints to keep.", at_least=1, role=Role.OUTPUT)
    progress: bool = option(True, "Show a progress bar in a terminal.", role=Role.PRESENTATION)
