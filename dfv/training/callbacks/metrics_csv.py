"""metrics.csv: mean losses over the course of training."""

import csv
import io
from pathlib import Path

from dfv.training.callbacks.step_callback import RowCallback
from dfv.training.errors import RunError
from dfv.training.run_folder import write_whole, writing

METRICS_FILE = "metrics.csv"
# Columns of metrics.csv in runs that an earlier version began.
FORMER_COLUMNS = {
    "prior_per_identity": "identity_mmd",
    "kernel": "mean_kernel",
    "z_classifier": "latent_adversary",
    "z_classifier_on_mean": "latent_adversary_on_mean",
    "z_classifier_on_sample": "latent_adversary_on_sample",
    "validation_reconstruction": "val_reconstruction",
    "validation_swap_same": "val_swap_same",
    "validation_kl": "val_kl",
}


class MetricsCsv(RowCallback):
    """Writes `metrics.csv` to a folder; a resumed run keeps the rows up to the step that it resumes from."""

    def __init__(self, folder: str | Path, log_steps: int):
        super().__init__(log_steps)
        self.folder = Path(folder)

    def on_first_epoch(self) -> None:
        super().on_first_epoch()
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._table = MetricsTable(self.folder / METRICS_FILE, self.columns(), self.step)

    def report(self, row: dict[str, float]) -> None:
        with writing(self.folder):
            self._table.add(self.step, row)


class MetricsTable:
    """metrics.csv: a row for each logged step; rows past the step a run continues from are dropped."""

    def __init__(self, path: Path, columns: list[str], first_step: int):
        self._path, self._columns = path, ["step", *columns]
        rows = [row for row in self._rows() if int(row["step"]) <= first_step]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(path, text.getvalue().encode())

    def _rows(self) -> list[dict[str, str]]:
        if not self._path.exists():
            return []
        try:
            with self._path.open(newline="", encoding="utf-8") as file:
                # The last row may have been cut off by a crash.
                rows = [row for row in csv.DictReader(file) if row["step"].isdigit() and None not in row.values()]
        except (KeyError, UnicodeDecodeError, csv.Error) as error:
            raise RunError(
                f"{self._path} is damaged ({error}); restore it, or move it away to begin a new one."
            ) from error
        return [{FORMER_COLUMNS.get(name, name): value for name, value in row.items()} for row in rows]

    def add(self, step: int, values: dict[str, float]) -> None:
        """Appends a row; columns without a value stay empty."""
        row = {"step": step, **{name: f"{value:.6g}" for name, value in values.items()}}
        with self._path.open("a", newline="") as file:
            csv.DictWriter(file, self._columns).writerow(row)
