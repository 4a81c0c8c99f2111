"""Trackers hear of settings, scores and the report; one that is missing is named before anything is computed."""

from __future__ import annotations

import posixpath
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from outgrow.core.errors import UserError
from outgrow.report import tracking

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import runs


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    runs.one(folder)
    (folder / "report.html").write_text("<html></html>")
    return folder


class Mlflow(ModuleType):
    """mlflow as far as it is called, with the parameters that it has."""

    def __init__(self) -> None:
        super().__init__("mlflow")
        self.__spec__ = object()
        self.told: dict[str, object] = {}

    def set_experiment(self, experiment_name=None, experiment_id=None, trace_location=None) -> None:
        self.told["experiment"] = experiment_name

    @contextmanager
    def start_run(self, run_id=None, experiment_id=None, run_name=None, nested=False):
        self.told["run"] = run_name
        yield self

    def log_params(self, params, synchronous=None, run_id=None) -> None:
        assert all(isinstance(value, str) and len(value) <= 6000 for value in params.values())
        self.told["params"] = params

    def log_metrics(self, metrics, step=None, synchronous=None, run_id=None, timestamp=None) -> None:
        self.told["metrics"] = metrics

    def log_artifact(self, local_path, artifact_path=None, run_id=None) -> None:
        self.told["artifact"] = Path(local_path).name


class Wandb(ModuleType):
    """wandb as far as it is called."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.__spec__ = object()
        self.told: list[dict] = []

    @contextmanager
    def init(self, entity=None, project=None, dir=None, id=None, name=None, notes=None, tags=None, config=None):
        self.told.append({"project": project, "name": name, "config": config})
        yield self

    def log(self, data, step=None, commit=None) -> None:
        self.told.append(data)

    def Html(self, data, inject=True, data_is_not_path=False) -> str:
        return str(data)


def test_scores_are_called_by_task_supervisors_student_row_and_metric(run) -> None:
    told = tracking.tracked(run)
    # The golden run: floor .614631, ceiling .819081, naive .67895, so (.67895 - .614631) / (.819081 - .614631) = .3146
    place = "cities/minilm-l6/smollm2-135m"
    assert told.scores[f"{place}/naive/accuracy"] == pytest.approx(0.67895)
    assert told.scores[f"{place}/naive/PGR"] == pytest.approx(0.064319 / 0.20445, abs=1e-4)
    assert told.settings["strong"] == "smollm2-135m" and told.settings["seeds"] == "16"


def test_names_of_folders_and_servers_are_paths_that_mlflow_takes() -> None:
    name = tracking._plain("votes/server:http://host/v1,m/../small//naive/PGR")
    assert name == "votes/server_http_/host/v1_m/small/naive/PGR" == posixpath.normpath(name)


def test_mlflow_hears_of_settings_scores_and_the_report(run, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", mlflow := Mlflow())
    tracking.track(run, "mlflow")
    told = tracking.tracked(run)
    assert mlflow.told == {
        "experiment": "outgrow", "run": "run", "params": told.settings, "metrics": told.scores,
        "artifact": "report.html",
    }  # fmt: skip


def test_wandb_hears_of_settings_scores_and_the_report(run, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", wandb := Wandb())
    tracking.track(run, "wandb")
    told = tracking.tracked(run)
    assert wandb.told == [
        {"project": "outgrow", "name": "run", "config": told.settings},
        told.scores,
        {"report": str(run / "report.html")},
    ]


def test_tensorboard_reads_the_scores_back(run) -> None:
    pytest.importorskip("tensorboard", reason="pip install tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):
        tracking.track(run, "tensorboard")
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    scores = tracking.tracked(run).scores
    assert set(events.Tags()["scalars"]) == set(scores)
    for name, value in scores.items():
        assert [event.value for event in events.Scalars(name)] == [pytest.approx(value)]


def test_a_tracker_that_is_missing_is_named_with_what_installs_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match=r"^`track` wandb needs the package wandb, .*pip install 'outgrow\[track\]'"):
        tracking.check("wandb")
    tracking.check(None)


def test_a_tracker_that_refuses_is_one_line_and_the_result_stays(run, monkeypatch) -> None:
    mlflow = Mlflow()
    mlflow.set_experiment = lambda name: (_ for _ in ()).throw(RuntimeError("none at http://me:word@host/x\nat all"))
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    with pytest.raises(UserError, match=r"^`track` mlflow: none at http://host/x; the result itself is whole, in "):
        tracking.track(run, "mlflow")
