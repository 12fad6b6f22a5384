"""Results to JSON and back, and files that are older, newer or broken."""

import dataclasses
import json
import math

import pytest

from dfv.evaluation.results import Results
from dfv.training.errors import RunError
from dfv.training.model_files import SHIPPED_MODELS


def test_results_go_to_json_and_back(evaluated):
    text = evaluated[1].to_json()
    back = Results.from_json(text)
    assert back.to_json() == text and back.retrieval == evaluated[1].retrieval
    assert isinstance(next(iter(back.retrieval.s_precision)), int)
    # One seed has no standard deviation.
    assert math.isnan(back.leakage.s.strongest.test_error_std)
    assert json.loads(text)["leakage"]["s"]["strongest"]["test_error_std"] is None


def test_a_file_of_version_0_1_0_keeps_its_numbers(old_results):
    results = Results.from_json(json.dumps(old_results))
    assert results.schema_version == 1 and results.run.training is None
    z_mean = old_results["table1"]["codes"]["z_mean"]
    strongest = results.leakage.z_mean.strongest
    assert (strongest.family, strongest.num_neighbours, strongest.standardized) == ("neighbours", 1, False)
    assert dataclasses.asdict(strongest.leakage) == z_mean["strongest"]["leak"]
    assert strongest.permutation_baseline == z_mean["strongest"]["chance"]
    network = results.leakage.z_mean.network
    assert (network.family, network.num_neighbours, network.standardized) == ("network", None, True)
    assert network.test_error_std == z_mean["probes"]["network"]["spread"]
    assert results.leakage.s.labels["hat"].test_error == old_results["table1"]["codes"]["s"]["labels"]["hat"]["test"]
    assert results.retrieval.s_precision[5] == old_results["retrieval"]["precision"]["s"]["5"]
    assert results.analogies.copy_of_z_source.mse == old_results["analogies"]["copy_of_z_donor"]["mse"]
    rates = old_results["identity_swaps"]["swap_sampled"]["hat"]
    found = results.identity_swaps.swap_sampled["hat"]
    assert (found.s_source, found.z_source_all) == (rates["s_donor"], rates["z_donor_all"])
    factor, codes = next(iter(old_results["factors"].items()))
    assert results.factors[factor].s.below_baseline.mean == codes["s"]["told"]["mean"]
    assert results.run.flags["pca_dim"] == "16" and "data_dir" not in results.run.flags


@pytest.mark.parametrize("name", ["mnist", "quickstart"])
def test_shipped_results_are_of_this_schema_version_and_small(name):
    path = SHIPPED_MODELS / name / "results.json"
    assert Results.read(path).to_json() == path.read_text()
    assert path.stat().st_size < 50_000


def test_stronger_probes_are_written_only_if_they_were_trained():
    results = Results.read(SHIPPED_MODELS / "quickstart" / "results.json")
    z_mean = dataclasses.replace(results.leakage.z_mean, trees=results.leakage.z_mean.linear)
    stronger = dataclasses.replace(results, leakage=dataclasses.replace(results.leakage, z_mean=z_mean))
    assert '"trees"' in stronger.to_json() and '"deep"' not in stronger.to_json() and '"trees"' not in results.to_json()
    assert Results.from_json(stronger.to_json()).leakage.z_mean.trees == z_mean.linear


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 2}, "expected schema version 1 or none; got 2"),
        ({"kl": 1}, r"extra fields found \(kl\)"),
        ({"retrieval": {}}, r"required field missing @ \$.retrieval.s_precision"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(evaluated, tmp_path, changes, message):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(json.loads(evaluated[1].to_json()) | changes))
    with pytest.raises(RunError, match=f"results.json cannot be read .*{message}.*evaluate the run again"):
        Results.read(path)


def test_an_old_file_without_a_measurement_is_refused(old_results):
    del old_results["retrieval"]["chance"]
    with pytest.raises(ValueError, match="neither of this version nor of 0.1.0: KeyError"):
        Results.from_json(json.dumps(old_results))
