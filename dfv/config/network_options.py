"""Options of the networks."""

from dataclasses import dataclass

from dfv.config.fields import Checked, ConfigError, option


@dataclass(frozen=True)
class NetworkConfig(Checked):
    """Architecture and dimensions (supplementary material, "Network architectures")."""

    backbone: str = option(
        "three_5x5",
        "Encoder convolutions. three_5x5: three of 5x5 with stride 2; six_3x3: six of 3x3 with stride 2 in layers 1, 3"
        " and 5.",
        choices=("three_5x5", "six_3x3"),
    )
    widths: tuple[int, ...] = option(
        (32, 64, 128), "Channels at the three resolutions of the encoder; the decoder mirrors them."
    )
    adversary_widths: tuple[int, ...] = option((32, 64, 128), "Channels of the adversary's three convolutions.")
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

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("widths", "adversary_widths"):
            if len(getattr(self, name)) != 3:
                raise ConfigError(f"--{name} expects three numbers, such as 32,64,128; got {getattr(self, name)}.")
