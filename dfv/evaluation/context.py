"""Data shared by the measurements of one evaluation."""

from functools import cached_property

from dfv.config.schema import Config
from dfv.data.dataset import Splits
from dfv.evaluation.encoded_images import EncodedImages, EncodedSplits, encode_splits
from dfv.evaluation.evaluation_splits import evaluation_splits, has_unseen_identities
from dfv.evaluation.labels import Labels, factor_labels, identity_labels
from dfv.evaluation.metrics.analogies import check_factors
from dfv.evaluation.metrics.oracle_classifier import OracleClassifier, train_oracle
from dfv.evaluation.probes.probe_data import families_of_probes
from dfv.evaluation.sampling import SampleSizes
from dfv.evaluation.split_within_identities import image_split_within_identities
from dfv.model.codec import Codec


class EvaluationContext:
    """A model, the images of an evaluation, and intermediate results that several measurements need.

    splits: the images for training, early stopping and evaluation of probes; see `evaluation_splits`.
    trained_on: the images that the model was trained on.
    labels: the identity labels that probes predict, or None; factor_labels: the known factors, or None.
    families: of the probes of the identity.
    """

    def __init__(
        self,
        model: Codec,
        splits: Splits,
        config: Config,
        *,
        split: str,
        num_seeds: int,
        sizes: SampleSizes,
        stronger_probes: bool = False,
    ):
        self.dataset = config.data.dataset
        check_factors(self.dataset, splits.test)
        self.model, self.config, self.split, self.num_seeds, self.sizes = model, config, split, num_seeds, sizes
        self.trained_on, self.splits = splits.train, evaluation_splits(splits, config.data, split)
        self.families = families_of_probes(stronger_probes)
        self.unseen_identities = has_unseen_identities(self.splits)
        self.labels, self.factor_labels = identity_labels(self.splits), factor_labels(self.splits)

    @cached_property
    def encoded(self) -> EncodedSplits:
        """The codes of the images."""
        return encode_splits(self.model, self.splits, self.sizes)

    @cached_property
    def _oracle_data(self) -> tuple[Splits, Labels, EncodedImages]:
        """What the oracle is trained and tested on, and the encoded images of the test split."""
        if self.labels is not None:
            return self.splits, self.labels, self.encoded.test
        return image_split_within_identities(self.encoded.test)

    @cached_property
    def oracle(self) -> OracleClassifier:
        """An identity classifier; trained on other test images if the test labels do not occur in training."""
        splits, labels, _ = self._oracle_data
        return train_oracle(splits, labels, self.sizes)

    @property
    def unseen_by_oracle(self) -> EncodedImages:
        """The test images that the oracle was not trained on; their `rows` are those of its test labels."""
        return self._oracle_data[-1]
