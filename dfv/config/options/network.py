"""Options of the networks."""

from dataclasses import dataclass

from dfv.config.fields import Checked, option


@dataclass(frozen=True)
class NetworkConfig(Checked):
    """Architecture and dimensions (supplementary material, "Network architectures")."""

    backbone: str = option(
        "three_5x5",
        "Encoder convolutions at each resolution. three_5x5: one of 5x5 with stride 2; six_3x3: two of 3x3, the first"
        " with stride 2. The names are for three resolutions, as in the paper.",
        choices=("three_5x5", "six_3x3"),
    )
    widths: tuple[int, ...] = option(
        (),
        "Channels at each resolution of the encoder, which halves the image for each; the decoder mirrors them. Empty:"
        " as many as bring the shorter side to 4 to 7 pixels, with 32, 64, 128, 128, ... channels.",
    )
    adversary_widths: tuple[int, ...] = option(
        (), "Channels of each of the adversary's convolutions, which halve the image too. Empty: as for --widths."
    )
    s_dim: int = option(64, "Dimension of s, the specified code.", at_least=1)
    z_dim: int = option(512, "Dimension of z, the unspecified code.", at_least=1)
    shared_variance: bool = option(
        False,
        "Learn one posterior variance per dimension of z, shared by all images, instead of one per image. Not in the"
        " paper.",
    )
    adversary_labels: str = option(
        "identity",
        "What the adversary is conditioned on. identity: an embedding of the identity; attributes: the sum of one"
        " embedding per attribute; pair: a real image of the same identity, for any number of identities (not in the"
        " paper).",
        choices=("identity", "attributes", "pair"),
    )
