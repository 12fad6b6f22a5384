"""Tables of evaluations alone, from the results files of models."""

from dfv.evaluation.probes.probe_result import ProbeResult
from dfv.evaluation.report.formatting import percent
from dfv.evaluation.results import RESULTS_FILE, Results
from dfv.training.model_files import SHIPPED_MODELS, shipped_names
from docs.tables.figures import ROOT, Figures, leakage
from docs.tables.table_columns import markdown, one, with_error

# Of the shipped models, evaluated with --stronger_probes.
STRONGER = ROOT / "docs" / "results" / "stronger_probes"
Z_CODES = {"z_mean": "z mean", "z_sampled": "z sampled"}


def probe_name(probe: ProbeResult) -> str:
    """The kind of a probe as tables write it."""
    if probe.family != "neighbours":
        return {"network": "256 units"}.get(probe.family, probe.family)
    return f"neighbours ({probe.num_neighbours}, {'standardised' if probe.standardized else 'raw'})"


def shipped_table1() -> str:
    """Table 1 of the models that come with the package, from their results files."""
    names = Z_CODES | {"z_mean_and_log_var": "z mean and log-variance", "s": "s"}
    rows: list[tuple[str, Figures]] = []
    for model in shipped_names():
        measured = Results.read(SHIPPED_MODELS / model / RESULTS_FILE).leakage
        for code, name in names.items():
            probe = getattr(measured, code).strongest
            cells = {"code": name, "probe": probe_name(probe), "train": percent(probe.train_error)}
            cells |= {"test": f"{100 * probe.test_error:.2f}", "baseline": percent(probe.permutation_baseline)}
            rows.append((model, cells | leakage("leak", probe.leakage)))
    columns = [one(name, name) for name in ("code", "probe", "train", "test")]
    columns += [one("permutation baseline", "baseline"), with_error("leakage", "leak")]
    return markdown("model", tuple(columns), rows)


def known_factors(path: str) -> str:
    """How well the known factors are predicted from either code of a model, from its results file."""
    factors = Results.read(ROOT / path).factors
    if factors is None:
        raise ValueError(f"{path} has no known factors; evaluate the model again.")
    rows: list[tuple[str, Figures]] = []
    for factor, measured in factors.items():
        codes = {code: percent(getattr(measured, code).error) for code in ("z_mean", "z_sampled", "s")}
        rows.append((factor, codes | {"baseline": percent(measured.s.permutation_baseline)}))
    headings = {"z_mean": "z, mean", "z_sampled": "z, sampled", "s": "s", "baseline": "permutation baseline of s"}
    return markdown("factor", tuple(one(text, name) for name, text in headings.items()), rows)


def image_quality(path: str) -> str:
    """How realistic the images of a model are, from its results file."""
    quality = Results.read(ROOT / path).image_quality
    if quality is None:
        raise ValueError(f"{path} has no image quality; evaluate the model again.")
    kinds = {"real": "real training images", "reconstruction": "reconstructions", "swap": "swaps, mean of z"}
    kinds |= {"swap_sampled": "swaps, sampled z", "prior_sample": "prior samples"}
    rows: list[tuple[str, Figures]] = []
    for kind, label in kinds.items():
        measured = getattr(quality, kind)
        cells = {"frechet": f"{measured.frechet_distance:.1f}", "high": f"{measured.high_frequencies:.2f}"}
        rows.append((label, cells | {"strides": f"{measured.stride_frequencies:.2f}"}))
    headings = {"frechet": "Fréchet distance", "high": "energy at high frequencies", "strides": "at the strides"}
    return markdown(f"{quality.images:,} images", tuple(one(text, name) for name, text in headings.items()), rows)


def stronger_probes() -> str:
    """The leakage of z by each of the stronger families, and by the strongest probe without and with them."""
    rows: list[tuple[str, Figures]] = []
    for path in sorted(STRONGER.glob("*.json")):
        before, after = (Results.read(file).leakage for file in (SHIPPED_MODELS / path.stem / RESULTS_FILE, path))
        for code, name in Z_CODES.items():
            three, five = getattr(before, code), getattr(after, code)
            probes = {"three": three.strongest, "deep": five.deep, "trees": five.trees, "five": five.strongest}
            cells = {"code": name, "probe": probe_name(five.strongest)}
            for column, probe in probes.items():
                cells |= leakage(column, probe.leakage)
            rows.append((path.stem, cells))
    columns = [one("code", "code"), with_error("strongest of three families", "three"), with_error("deep", "deep")]
    columns += [with_error("trees", "trees"), with_error("strongest of all five", "five"), one("which is", "probe")]
    return markdown("model", tuple(columns), rows)
