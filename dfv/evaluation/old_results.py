"""Results files without a schema version, as version 0.1.0 wrote them, in the form of schema version 1.

Only this module uses the old names.
"""

import re
from typing import Any

from dfv.config.flag_files import flag_text
from dfv.config.renamed import current_names
from dfv.evaluation.evaluated_run import DATA_LOCATIONS, command

Json = dict[str, Any]

CODES = ("z_mean", "z_sampled", "z_mean_and_log_var", "s")
PROBES = ("network", "linear", "neighbours")


def converted(old: Json) -> Json:
    """The content of an old file in the new form; raises ValueError if the file is not one of version 0.1.0."""
    try:
        return {
            "schema_version": 1,
            "run": _run(old["run"]),
            "reconstruction": old["reconstruction"],
            "diversity": old["diversity"],
            "retrieval": _retrieval(old["retrieval"]),
            "dependence": {code: _hsic_test(test) for code, test in old["dependence"].items()},
            "analogies": _optional(old, "analogies", _analogies),
            "leakage": _leakage(old["table1"]),
            "oracle_errors": old["image_classifier"],
            "identity_swaps": _optional(old, "identity_swaps", _swaps),
            "factors": _optional(old, "factors", _factors),
            "factor_swaps": _optional(old, "factor_swaps", _swaps),
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"neither of this version nor of 0.1.0: {error!r}") from error


def _optional(old: Json, name: str, convert: Any) -> Json | None:
    return convert(old[name]) if name in old else None


def _run(old: Json) -> Json:
    flags = {name: flag_text(value) for name, value in old["flags"].items() if name not in DATA_LOCATIONS}
    versions = {"scikit-learn" if name == "sklearn" else name: text for name, text in old["versions"].items()}
    unknown = dict.fromkeys(("date", "commit", "cpu", "cores", "minutes"))
    return {
        **{name: old[name] for name in ("dataset", "split", "unseen_identities")},
        **{name: old["flags"][name] for name in ("seed", "split_index", "num_steps")},
        "probe_seeds": old["seeds"],
        "num_test_identities": old["test_identities"],
        "num_images": old["images"],
        "flags": flags,
        "command": command(current_names(flags), old["split"], old["seeds"]),
        "evaluation": {**unknown, "versions": versions, "accelerators": []},
        "training": None,
    }


def _retrieval(old: Json) -> Json:
    precision = {f"{code}_precision": old["precision"][code] for code in ("s", "z_mean")}
    return {**precision, "random_precision": old["chance"]}


def _hsic_test(old: Json) -> Json:
    return {"hsic": old["hsic"], "permutation_mean": old["by_chance"], "p_value": old["p_value"]}


def _analogies(old: Json) -> Json:
    return {name.replace("donor", "source"): value for name, value in old.items()}


def _swaps(old: Json) -> Json:
    swaps = {
        kind: {label: _analogies(rates) for label, rates in old[kind].items()} for kind in ("swap_mean", "swap_sampled")
    }
    return {"error": old["error"], **swaps, "prior_sample": old["prior_sample"]}


def _factors(old: Json) -> Json:
    return {name: {code: _factor_error(error) for code, error in codes.items()} for name, codes in old.items()}


def _factor_error(old: Json) -> Json:
    return {"error": old["error"], "permutation_baseline": old["chance"], "below_baseline": old["told"]}


def _leakage(old: Json) -> Json:
    codes = {code: _code_leakage(old["codes"][code]) for code in CODES}
    return {"target": old["predicts"], "num_images": old["images"], **codes}


def _code_leakage(old: Json) -> Json:
    return {
        **{family: _probe_result(old["probes"][family]) for family in PROBES},
        "strongest": _probe_result(old["strongest"]),
        "subsets": {name: _probe_result(result) for name, result in old["parts"].items()},
        "labels": {name: _probe_result(result) for name, result in old["labels"].items()},
    }


def _probe_result(old: Json) -> Json:
    # "network", "linear" or "neighbours (50, raw)"
    neighbours = re.fullmatch(r"neighbours \((\d+), (raw|standardised)\)", old["kind"])
    return {
        "family": "neighbours" if neighbours else old["kind"],
        "num_neighbours": int(neighbours[1]) if neighbours else None,
        "standardized": not neighbours or neighbours[2] == "standardised",
        **{f"{split}_error": old[split] for split in ("train", "validation", "test")},
        "test_error_std": old["spread"],
        "permutation_baseline": old["chance"],
        "leakage": old["leak"],
        "matched_permutation_baseline": old["alike_chance"],
        "matched_leakage": old["alike_leak"],
    }
