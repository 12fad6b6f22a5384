"""What a run is made of: frozen records whose fields are also the program's flags, validated here alone."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from dfv.config.fields import Checked, ConfigError, option
from dfv.config.renamed import current_names

DATASETS = ("toy_sprites", "mnist", "sprites", "smallnorb", "yaleb", "image_folder", "arrays")


@dataclass(frozen=True)
class DataConfig(Checked):
    """Which images, and how triplets are drawn from them."""

    dataset: str = option(
        "toy_sprites",
        "The source of images grouped by identity; arrays: what a Python program hands over itself.",
        choices=DATASETS,
    )
    data_dir: str = option(
        "", "TensorFlow Datasets' folder of prepared sets; empty: its default, ~/tensorflow_datasets."
    )
    manual_dir: str = option(
        "", "Folder with what cannot be downloaded (sprites/, yaleb/); empty: DATA_DIR/downloads/manual."
    )
    image_dir: str = option("", "--dataset=image_folder: the folder that holds one folder of images per identity.")
    split_by: str = option(
        "within",
        "--dataset=image_folder: every identity in each split (within), or each identity in one split (across).",
        choices=("within", "across"),
    )
    image_size: int = option(0, "Height and width of the images, pixels; 0: the set's own.", at_least=0, at_most=512)
    grayscale: bool = option(False, "Turn colour images to grey.")
    split_index: int = option(
        0,
        "Which of the seeded splits (yaleb, image_folder); the paper's sets with a published split ignore it.",
        at_least=0,
        at_most=999,
    )
    include_validation: bool = option(
        False, "Train on the validation split too (final runs); validation itself stays as it is."
    )
    min_images_per_identity: int = option(
        2, "An identity with fewer training images is refused, or dropped with --drop_small_identities.", at_least=2
    )
    drop_small_identities: bool = option(False, "Drop identities with too few images, and say so.")
    toy_characters: int = option(
        1000, "--dataset=toy_sprites: the number of training characters.", at_least=2, at_most=200_000
    )
    memory_limit_mb: int = option(
        4096, "A set larger than this, MiB, is read from fixed-size records on disk; 0: always.", at_least=0
    )
    cache_dir: str = option("", "Where such records are kept; empty: ~/.cache/dfv.")
    augment_shift: int = option(0, "Shift each image by up to this many pixels, edges repeated.", at_least=0)
    augment_flip: bool = option(False, "Mirror each image left to right, half of the time.")
    x2_any_identity: bool = option(
        False, "x2 may have any identity, as in figure 1 of the paper, instead of one other than x1's."
    )


@dataclass(frozen=True)
class NetworkConfig(Checked):
    """The networks' form (supplementary material, "Network architectures") and dimensions."""

    backbone: str = option(
        "three_5x5",
        "The encoder's convolutions: three 5x5 of stride 2, or six 3x3 with stride 2 at layers 1, 3 and 5.",
        choices=("three_5x5", "six_3x3"),
    )
    widths: tuple[int, ...] = option(
        (32, 64, 128), "Channels at each of the three resolutions of encoder and, mirrored, decoder."
    )
    adversary_widths: tuple[int, ...] = option((32, 64, 128), "Channels of the adversary's three convolutions.")
    s_dim: int = option(64, "Dimension of s, the specified code.", at_least=1)
    z_dim: int = option(512, "Dimension of z, the unspecified code.", at_least=1)
    shared_variance: bool = option(
        False, "One learned posterior variance per dimension of z for all images, instead of one for each image."
    )
    adversary_labels: str = option(
        "identity",
        "What the adversary is conditioned on: tables of the identity, or of each attribute, summed; or, ours, a real "
        "image of the identity beside the one it judges (pair), for any number of identities.",
        choices=("identity", "attributes", "pair"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("widths", "adversary_widths"):
            if len(getattr(self, name)) != 3:
                raise ConfigError(f"--{name} expects three numbers, such as 32,64,128; got {getattr(self, name)}.")


@dataclass(frozen=True)
class LatentConfig(Checked):
    """What z goes through at inference, fitted after training; all off by default. Not in the paper."""

    pca_dim: int = option(
        0, "Number of principal components of z kept at inference (noise-whitened PCA); 0 disables.", at_least=0
    )
    flow_layers: int = option(
        0,
        "Coupling layers of a conditional flow that removes from z what s predicts of it, and that the decoder"
        " inverts; 0 disables.",
        at_least=0,
        at_most=64,
    )
    flow_units: int = option(128, "Units of each of a coupling's two hidden layers.", at_least=1)
    flow_steps: int = option(
        4000,
        "Steps of fitting the flow, 512 codes each; without --flow_to_normal half as many more come first, which fit"
        " the density that all identities share.",
        at_least=1,
    )
    flow_to_normal: bool = option(
        False,
        "Fit the flow to map z to N(0, I), instead of to a density that all identities share. Removes more of the"
        " identity where z has no clusters; costs some reconstruction.",
    )
    rounding_step: float = option(
        0.0,
        "Round z at inference to multiples of this many posterior standard deviations; needs --shared_variance; 0"
        " disables.",
        at_least=0,
        at_most=10,
    )
    codebook_size: int = option(
        0,
        "Replace z at inference by the nearest of at most this many codebook entries, for a z with few distinct values,"
        " such as poses or frames; needs --shared_variance; 0 disables.",
        at_least=0,
        at_most=4096,
    )
    codebook_identity_weight: float = option(
        30.0,
        "Weight of identity leakage against distortion when clusters are merged into codebook entries: squared"
        " distance, in units of the posterior's variance, accepted per nat less leakage. Higher gives fewer entries.",
        at_least=0,
    )


@dataclass(frozen=True)
class LossConfig(Checked):
    """The weight of each term. Defaults are Algorithm 1; the last group is this project's additions, off at 0."""

    reconstruction_weight: float = option(
        1.0, "Squared error of x1 from its own z and s; mean over pixels in [-1, 1].", at_least=0
    )
    swap_same_weight: float = option(
        1.0, "Squared error of x1 from its own z and the s of x1', of the same identity.", at_least=0
    )
    kl_weight: float = option(
        0.1, "KL of the posterior of z to N(0, I); nats divided by height x width x channels of an image.", at_least=0
    )
    swap_other_weight: float = option(
        0.1, "Adversarial loss of images with the z of x1 and the s of x2, nats.", at_least=0
    )
    prior_sample_weight: float = option(
        0.1, "Adversarial loss of images with z from N(0, I) and the s of x2, nats.", at_least=0
    )
    reconstruct_all: bool = option(
        False, "Reconstruct all three images, swap x1 and x1' both ways, and take the KL of all three."
    )
    adversary_sees_prior_samples: bool = option(
        False, "Half of the adversary's fakes are prior samples, instead of swaps alone."
    )
    real_label: float = option(
        1.0, "The adversary's target for real images; below 1: one-sided label smoothing.", at_least=0.5, at_most=1
    )
    adversary_max_accuracy: float = option(
        1.0,
        "The adversary learns only while its accuracy on the last batch is at most this; 1: always.",
        at_least=0.5,
        at_most=1,
    )
    identity_mmd_weight: float = option(
        0.0, "Ours: squared kernel distance of each identity's sampled z to N(0, I).", at_least=0
    )
    mean_kernel_weight: float = option(
        0.0, "Ours: kernel similarity of same-identity means of z above that of any two.", at_least=0
    )
    latent_adversary_weight: float = option(
        0.0,
        "Ours: the encoder lowers the log-probability, nats, that two classifiers on z give the true identity.",
        at_least=0,
    )
    num_latent_adversary_updates: int = option(
        5, "Updates of the classifiers on z to one of the encoder.", at_least=1, at_most=100
    )
    latent_adversary_labels: str = option(
        "identity",
        "What the classifiers on z predict: the identity, or each attribute; or, for any number of identities, which "
        "codes share theirs (pair).",
        choices=("identity", "attributes", "pair"),
    )
    num_replay_batches: int = option(
        16, "Past batches whose codes the classifiers on z are also trained on; 0: none.", at_least=0, at_most=1024
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        weights = [field.name for field in dataclasses.fields(self) if field.name.endswith("_weight")]
        if not any(getattr(self, name) for name in weights):
            names = ", ".join(f"--{name}" for name in weights)
            raise ConfigError(f"every loss has weight 0, so there is nothing to learn; set one of {names} above 0.")


@dataclass(frozen=True)
class TrainingConfig(Checked):
    """How long, how fast, on what, and what is written when."""

    batch_size: int = option(64, "Triplets in a step, over all replicas.", at_least=2)
    num_steps: int = option(10_000, "Steps of the whole run.", at_least=1)
    seed: int = option(0, "Seed of weights, triplets and noise.", at_least=0, at_most=2**31 - 1)
    generator_optimizer: str = option("adam", "Encoder's and decoder's.", choices=("adam", "sgd"))
    adversary_optimizer: str = option("adam", "The adversary's.", choices=("adam", "sgd"))
    generator_learning_rate: float = option(2e-4, "Encoder's and decoder's.", at_least=0)
    adversary_learning_rate: float = option(2e-4, "The adversary's.", at_least=0)
    latent_adversary_learning_rate: float = option(2e-3, "The classifiers' on z; always Adam.", at_least=0)
    generator_schedule: str = option(
        "constant",
        "Learning rate over the run; cosine: to zero, from the first tenth on.",
        choices=("constant", "cosine"),
    )
    adversary_schedule: str = option("constant", "Likewise, the adversary's.", choices=("constant", "cosine"))
    latent_adversary_schedule: str = option(
        "constant", "Likewise, the classifiers' on z.", choices=("constant", "cosine")
    )
    adam_beta1: float = option(
        0.5, "Adam's decay of the first moment, encoder, decoder and adversary.", at_least=0, at_most=0.999
    )
    sgd_momentum: float = option(0.0, "Momentum of SGD.", at_least=0, at_most=0.999)
    pretrain_s_steps: int = option(
        0,
        "Steps of training s alone as a classifier of identity, then frozen, z with its own encoder; 0: joint.",
        at_least=0,
    )
    strategy: str = option(
        "one_device",
        "one_device; mirrored: all visible GPUs, or --num_replicas logical CPUs; multi_worker: as TF_CONFIG says.",
        choices=("one_device", "mirrored", "multi_worker"),
    )
    num_replicas: int = option(
        2, "--strategy=mirrored on a machine without GPUs: logical CPUs.", at_least=1, at_most=64
    )
    mixed_precision: bool = option(False, "Compute in bfloat16, keep weights and losses in float32; for GPUs.")
    jit_compile: bool = option(False, "Compile the step with XLA; for GPUs, one device.")
    deterministic: bool = option(False, "The same bits on every run of one machine; somewhat slower.")
    log_steps: int = option(100, "Steps between rows of metrics.csv and TensorBoard scalars.", at_least=1)
    validation_steps: int = option(1000, "Steps between figures and losses on validation images.", at_least=1)
    checkpoint_steps: int = option(1000, "Steps between checkpoints.", at_least=1)
    checkpoint_minutes: float = option(
        10.0, "Minutes between checkpoints, whichever comes first; 0: steps alone.", at_least=0
    )
    num_checkpoints: int = option(3, "Checkpoints that are kept.", at_least=1)
    progress: bool = option(True, "Show a progress bar where there is a terminal.")


PLACES_OF_DATA = frozenset("image_dir data_dir manual_dir cache_dir memory_limit_mb".split())
# May change when a run is continued; everything else makes it another run.
FREE_TO_CHANGE = PLACES_OF_DATA.union(
    "num_steps log_steps validation_steps checkpoint_steps checkpoint_minutes num_checkpoints progress".split()
)


@dataclass(frozen=True)
class Config:
    """A whole run. `Config.of(dataset="mnist", s_dim=16)` takes the flags' names."""

    data: DataConfig = DataConfig()
    network: NetworkConfig = NetworkConfig()
    latent: LatentConfig = LatentConfig()
    loss: LossConfig = LossConfig()
    training: TrainingConfig = TrainingConfig()

    def __post_init__(self) -> None:
        if self.data.dataset == "image_folder" and not self.data.image_dir:
            raise ConfigError(
                "--dataset=image_folder needs --image_dir, a folder with one folder of images per identity."
            )
        latent = self.latent
        for name in ("pca_dim", "rounding_step", "codebook_size"):
            if getattr(latent, name) and not self.network.shared_variance:
                raise ConfigError(f"--{name} needs --shared_variance: it measures z in units of one variance for all.")
        if latent.codebook_size and latent.rounding_step:
            raise ConfigError("--codebook_size and --rounding_step exclude each other; drop one of the two.")
        if self.training.pretrain_s_steps and (latent.flow_layers or latent.pca_dim or latent.codebook_size):
            raise ConfigError(
                "--flow_layers, --pca_dim and --codebook_size need an s trained with the rest; drop them or"
                " --pretrain_s_steps."
            )
        if self.training.jit_compile and self.training.strategy != "one_device":
            raise ConfigError("--jit_compile works with --strategy=one_device alone; drop one of the two.")
        if self.training.deterministic and self.training.strategy != "one_device":
            raise ConfigError("--deterministic works with --strategy=one_device alone; drop one of the two.")

    @classmethod
    def of(cls, **flags: Any) -> "Config":
        """The config with these flags; raises ConfigError for a name that is no flag or a value out of range."""
        return cls().replace(**flags)

    def replace(self, **flags: Any) -> "Config":
        """A copy with these flags changed."""
        flags = current_names(flags, warn=True)
        unknown = set(flags) - {field.name for _, field in option_fields()}
        if unknown:
            raise ConfigError(f"no such option: {', '.join(sorted(unknown))}; `python -m dfv.main --help` lists them.")
        groups = {}
        for group in dataclasses.fields(self):
            record = getattr(self, group.name)
            names = {field.name for field in dataclasses.fields(record)} & set(flags)
            groups[group.name] = dataclasses.replace(record, **{name: flags[name] for name in names})
        return Config(**groups)

    def as_flags(self) -> dict[str, Any]:
        """Every option's value by its flag's name."""
        return {field.name: getattr(getattr(self, group), field.name) for group, field in option_fields()}


def option_fields() -> list[tuple[str, dataclasses.Field]]:
    """(group, field) of every option, in the order in which they are declared."""
    return [
        (group.name, field)
        for group in dataclasses.fields(Config)
        for field in dataclasses.fields(group.type)  # type: ignore[arg-type]
    ]
