"""Options of the losses: a weight for each."""

import dataclasses
from dataclasses import dataclass

from dfv.config.fields import Checked, ConfigError, option


@dataclass(frozen=True)
class LossConfig(Checked):
    """Weights of the losses. The defaults are Algorithm 1; losses that are not in the paper default to 0."""

    reconstruction_weight: float = option(
        1.0,
        "Weight of the reconstruction loss: mean squared error of x1 decoded from its own z and s, with pixels in"
        " [-1, 1].",
        at_least=0,
    )
    swap_same_weight: float = option(
        1.0,
        "Weight of the same-identity swap loss: mean squared error of x1 decoded from its own z and the s of x1', "
        "another image of its identity.",
        at_least=0,
    )
    kl_weight: float = option(
        0.1,
        "Weight of the KL divergence of the posterior of z from N(0, I), in nats divided by the number of values in an"
        " image (height x width x channels).",
        at_least=0,
    )
    swap_other_weight: float = option(
        0.1,
        "Weight of the generator's adversarial loss, in nats, for images decoded from the z of x1 and the s of x2.",
        at_least=0,
    )
    prior_sample_weight: float = option(
        0.1,
        "Weight of the generator's adversarial loss, in nats, for images decoded from z ~ N(0, I) and the s of x2.",
        at_least=0,
    )
    reconstruct_all: bool = option(
        False,
        "Apply the reconstruction loss and the KL divergence to all three images, and swap s between x1 and x1' in both"
        " directions. Not in the paper.",
    )
    adversary_sees_prior_samples: bool = option(
        False,
        "Use prior samples for half of the generated images that the adversary is trained on, instead of swaps only."
        " Not in the paper.",
    )
    real_label: float = option(
        1.0,
        "Target of the adversary for real images; values below 1 give one-sided label smoothing.",
        at_least=0.5,
        at_most=1,
    )
    adversary_augmentation: bool = option(
        False,
        "Change colours, position and a part of every image that the adversary sees (DiffAugment), so that it cannot"
        " memorize a small data set. Not in the paper.",
    )
    adversary_max_accuracy: float = option(
        1.0,
        "Update the adversary only if its accuracy on the batch is at most this value; 1: always update.",
        at_least=0.5,
        at_most=1,
    )
    identity_classifier_weight: float = option(
        0.0,
        "Weight of the identity classifier's loss: cross-entropy, in nats, of the identity that a linear layer predicts"
        " from s. It trains this layer and the encoder. Not in the paper.",
        at_least=0,
    )
    swap_identity_weight: float = option(
        0.0,
        "Weight of the cross-entropy, in nats, of the identity that the identity classifier predicts from the s of"
        " images decoded from the z of x1 and the s of x2. It trains only what these images depend on. Needs"
        " --identity_classifier_weight. Not in the paper.",
        at_least=0,
    )
    identity_mmd_weight: float = option(
        0.0,
        "Weight of the squared MMD between each identity's samples of z and N(0, I). Not in the paper.",
        at_least=0,
    )
    mean_kernel_weight: float = option(
        0.0,
        "Weight of the kernel loss on the posterior means of z: by how much their kernel similarity within an identity"
        " exceeds that of any two images. Not in the paper.",
        at_least=0,
    )
    latent_adversary_weight: float = option(
        0.0,
        "Weight of the encoder's loss against the latent adversary: log-probability, in nats, that its two classifiers"
        " assign to the true identity given z. Not in the paper.",
        at_least=0,
    )
    num_latent_adversary_updates: int = option(
        5, "Updates of the latent adversary per update of the encoder.", at_least=1, at_most=100
    )
    latent_adversary_labels: str = option(
        "identity",
        "What the latent adversary predicts from z. identity: the identity; attributes: each attribute; pair: whether"
        " two codes have the same identity, for any number of identities.",
        choices=("identity", "attributes", "pair"),
    )
    num_replay_batches: int = option(
        16,
        "Number of past batches whose codes the latent adversary is also trained on; 0: none.",
        at_least=0,
        at_most=1024,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        weights = [field.name for field in dataclasses.fields(self) if field.name.endswith("_weight")]
        if not any(getattr(self, name) for name in weights):
            names = ", ".join(f"--{name}" for name in weights)
            raise ConfigError(f"every loss has weight 0, so there is nothing to learn; set one of {names} above 0.")
