"""What a model card says."""

from dataclasses import replace

from dfv.evaluation.probes.standard_errors import Estimate
from dfv.evaluation.results import Results
from dfv.training.model_files import SHIPPED_MODELS
from export import model_card


def test_the_card_describes_model_and_data(exported):
    text = (exported / "model_card.md").read_text()
    swap = "| `swap` | `image_s` [N, 13, 10, 1] uint8: 0 to 255<br>`image_z`"
    data = "`toy_sprites` at 13 x 10 x 1"
    for words in (
        "# tiny, version 1",
        data,
        "7 identities",
        "--s_dim=5",
        "at most 4096",
        swap,
        "without further terms",
    ):
        assert words in text, words
    assert "--data_dir" not in text


def test_the_card_gives_the_identity_leakage_of_each_code(exported, model):
    results = Results.read(SHIPPED_MODELS / "quickstart" / "results.json")
    strongest = replace(
        results.leakage.z_mean.strongest,
        test_error=0.96,
        test_error_std=0.001,
        permutation_baseline=0.964,
        leakage=Estimate(0.004, 0.003),
    )
    leakage = replace(results.leakage, z_mean=replace(results.leakage.z_mean, strongest=strongest))
    text = model_card.of(model, "tiny", exported, replace(results, leakage=leakage))
    assert "| z, mean | 96.00 ± 0.10 | 96.4 | 0.4 ± 0.3 (not significant) |" in text
    assert f"trained to predict {leakage.target} from a code, on the test split" in text
    assert all(f"| {name} | " in text for name in ("z, sampled", "s"))
