"""Checkpoints of a training: when one is due, and which of the two is read."""

from __future__ import annotations

import numpy as np

from outgrow.store import Store
from outgrow.training import checkpoint


def test_one_is_due_after_a_minute_and_after_twenty_times_what_the_last_one_took(tmp_path, monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    kept = checkpoint.Checkpoint(Store(tmp_path), {"training": 1})
    now[0] = 59.0
    assert not kept.due
    now[0] = 60.0
    assert kept.due
    put = Store.put

    def slow(*given):
        now[0] += 6
        return put(*given)

    monkeypatch.setattr(Store, "put", slow)
    kept.keep(1, {"x": np.zeros(1)})
    # Written in 6 seconds, at 66: a twentieth of the time is 120 seconds.
    for now[0], due in ((66 + 119.0, False), (66 + 120.0, True)):
        assert kept.due == due


def test_the_later_of_the_two_is_read_and_the_earlier_is_written_over(tmp_path) -> None:
    store, made = Store(tmp_path), {"training": 1}
    for step in (1, 2, 3):
        checkpoint.Checkpoint(store, made).read()
        kept = checkpoint.Checkpoint(store, made)
        kept.read()
        kept.keep(step, {"x": np.full(2, step)})
        found = checkpoint.Checkpoint(store, made).read()
        assert found[0] == step and found[1]["x"].tolist() == [step, step]
    assert len(list((tmp_path / "training").glob("*/record.json"))) == 2
    kept.drop()
    assert checkpoint.Checkpoint(store, made).read() == (0, {})
