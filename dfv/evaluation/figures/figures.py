"""All figures of an evaluation, as PNG."""

from dfv.data.image_operations import encode_png
from dfv.evaluation.context import EvaluationContext
from dfv.evaluation.figures.grids import make_grids
from dfv.evaluation.figures.latent_space import plot_latent_space


def make_figures(context: EvaluationContext) -> dict[str, bytes]:
    """Returns name -> PNG of every figure that is defined for the data set."""
    test = context.encoded.test
    grids = make_grids(context.model, context.config.data, context.splits.test, test)
    latent_space = plot_latent_space(test, context.factor_labels, context.sizes.code_pictures)
    return {name: encode_png(grid) for name, grid in grids.items()} | {"latent_space": latent_space}
