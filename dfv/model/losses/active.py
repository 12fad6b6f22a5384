"""Which losses a config enables, and what a training step has to compute for them."""

from dfv.config.schema import Config


class ActiveLosses:
    """The losses with a nonzero weight; images, codes and players that none of them needs are not computed."""

    def __init__(self, config: Config):
        self._loss = config.loss
        self.adversary_compares_pairs = config.network.adversary_labels == "pair"

    @property
    def adversary(self) -> bool:
        """Whether a loss needs the adversary on images."""
        return self._loss.swap_other_weight > 0 or self._loss.prior_sample_weight > 0

    @property
    def prior_samples(self) -> bool:
        """Whether a loss needs images with z from the prior."""
        return self._loss.prior_sample_weight > 0 or (self.adversary and self._loss.adversary_sees_prior_samples)

    @property
    def latent_adversary(self) -> bool:
        """Whether classifiers of the identity are trained on z. Not in the paper."""
        return self._loss.latent_adversary_weight > 0

    @property
    def identity_classifier(self) -> bool:
        """Whether a classifier of the identity is trained on s. Not in the paper."""
        return self._loss.identity_classifier_weight > 0

    @property
    def swaps_other(self) -> bool:
        """Whether a loss needs images with z and s of different identities."""
        return self.adversary or self._loss.swap_identity_weight > 0

    @property
    def independence(self) -> bool:
        """Whether a loss compares the codes of the global batch with their identities. Not in the paper."""
        return self.latent_adversary or self._loss.identity_mmd_weight > 0 or self._loss.mean_kernel_weight > 0

    @property
    def num_z(self) -> int:
        """Number of images of a triplet whose z is used: 1 (x1) in the paper, 3 with the additional losses."""
        return 3 if self._loss.reconstruct_all or self.independence else 1

    @property
    def weights(self) -> dict[str, float]:
        """The nonzero weights of the terms of the generator's loss."""
        loss = self._loss
        weights = {
            "reconstruction": loss.reconstruction_weight,
            "swap_same": loss.swap_same_weight,
            "kl": loss.kl_weight,
            "swap_other": loss.swap_other_weight,
            "prior_sample": loss.prior_sample_weight,
            "identity_classifier": loss.identity_classifier_weight,
            "swap_identity": loss.swap_identity_weight,
            "identity_mmd": loss.identity_mmd_weight,
            "mean_kernel": loss.mean_kernel_weight,
            "latent_adversary": loss.latent_adversary_weight,
        }
        return {name: weight for name, weight in weights.items() if weight > 0}

    @property
    def term_names(self) -> list[str]:
        """Names of the terms of all players, then of the generator's loss, in the order of a step's report."""
        names = list(self.weights)
        if self.adversary:
            names += ["adversary_on_real", "adversary_on_fakes", "adversary_accuracy"]
        if self.latent_adversary:
            names += ["latent_adversary_on_mean", "latent_adversary_on_sample"]
        return [*names, "loss"]
