"""Options of the losses: a weight for each."""

import dataclasses
from dataclasses import dataclass

from dfv.config.fields import Checked, ConfigError, option


@dataclass(frozen=True)
class LossConfig(Checked):
    """Weights of the losses. The defaults are Algorithm 1; losses that are not in the paper default to 0."""

    reconstruction_weight: float = option(
        1.0,
        "Weight of the reconstruction loss: squared error of x1 decoded from its own z and s; mean over pixels in"
        " [-1, 1].",
        at_least=0,
    )
    swap_same_weight: float = option(
        1.0,
        "Weight of the squared error of x1 decoded from its own z and the s of x1', of the same identity.",
        at_least=0,
    )
    kl_weight: float = option(
        0.1,
        "Weight of the KL divergence of the posterior of z from N(0, I); nats divided by height x width x channels of"
        " an image.",
        at_least=0,
    )
    swap_other_weight: float = option(
        0.1, "Weight of the adversarial loss of images decoded from the z of x1 and the s of x2; nats.", at_least=0
    )
    prior_sample_weight: float = option(
        0.1, "Weight of the adversarial loss of images decoded from z ~ N(0, I) and the s of x2; nats.", at_least=0
    )
    reconstruct_all: bool = option(
        False,
        "Apply the reconstruction loss and the KL divergence to all three images, and swap s between x1 and x1' in both"
        " directions. Not in the paper.",
    )
    adversary_sees_prior_samples: bool = option(
        False, "Train the adversary on prior samples as half of its generated images, instead of on swaps only."
    )
    real_label: float = option(
        1.0,
        "The adversary's target for real images; below 1: one-sided label smoothing.",
        at_least=0.5,
        at_most=1,
    )
    adversary_max_accuracy: float = option(
        1.0,
        "Update the adversary only if its accuracy on the last batch was at most this; 1: always.",
        at_least=0.5,
        at_most=1,
    )
    identity_mmd_weight: float = option(
        0.0,
        "Weight of the squared MMD between each identity's sampled z and N(0, I). Not in the paper.",
        at_least=0,
    )
    mean_kernel_weight: float = option(
        0.0,
        "Weight of the excess kernel similarity of posterior means of z within an identity over that of any two images."
        " Not in the paper.",
        at_least=0,
    )
    latent_adversary_weight: float = option(
        0.0,
        "Weight of the latent adversary's loss for the encoder: log-probability of the true identity given z, by two"
        " classifiers; nats. Not in the paper.",
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
