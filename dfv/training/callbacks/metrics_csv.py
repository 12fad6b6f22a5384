"""metrics.csv: the means of the losses while a run is trained."""

from pathlib import Path

from dfv.training.callbacks.step_callback import RowCallback
from dfv.training.run_folder import METRICS_FILE, MetricsTable, writing


class MetricsCsv(RowCallback):
    """Writes `metrics.csv` in a folder; a continued run keeps the rows up to the step that it continues from."""

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
