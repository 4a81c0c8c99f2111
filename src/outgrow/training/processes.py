"""Several processes on one training, one a device: `accelerate launch -m outgrow ...` or `torchrun -m outgrow ...`.

    z_i       every process computes its share of a batch's logits, and all gather the whole batch
    gradient  of the whole batch's loss in the process's own z_i, summed over the processes

So a step is that of a single process, up to the order of sums, for any loss of a batch. The main process runs the
command and is the only one that writes; the others only take part in trainings.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import os
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import torch

from outgrow.core.extras import needs

PATIENCE = timedelta(days=7)
"""How long the other processes wait while the main process does other things."""


@cache
def state() -> Any:
    """The state of `accelerate`: which process this is, and how many there are."""
    needs("accelerate", "devices", "several processes need")
    import torch.distributed.nn
    from accelerate import PartialState

    # Imported before there is a group: defaults of its functions would hold the group, and its threads, for good.
    found = PartialState(cpu=not torch.accelerator.is_available(), **({"timeout": PATIENCE} if launched() else {}))
    if launched():
        # A thread of the group that frees a tensor after Python has ended aborts the process, and then all others.
        atexit.register(found.destroy_process_group)
    return found


def launched() -> bool:
    """Whether a launcher started several processes."""
    return int(os.environ.get("WORLD_SIZE", 1)) > 1


def main() -> bool:
    """Whether this is the process that runs the command."""
    return not launched() or state().is_main_process


def share(count: int) -> np.ndarray:
    """The indices below `count` that belong to this process."""
    return np.arange(state().process_index, count, state().num_processes) if launched() else np.arange(count)


def whole(own: torch.Tensor, count: int) -> torch.Tensor:
    """(count, ...) gathered from the shares of all processes; gradients flow into this process's own share alone."""
    if not launched():
        return own
    at = torch.from_numpy(share(count))
    empty = torch.zeros(count, *own.shape[1:])
    return summed([empty.index_copy(0, at, own.detach())])[0].index_copy(0, at, own)


def summed(tensors: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
    """The sums over all processes."""
    if not launched():
        return tensors
    from accelerate.utils import reduce

    where = state().device
    return [reduce(tensor.to(where), "sum").to(tensor.device) for tensor in tensors]


def call(job: Any) -> None:
    """In the main process: let all others run `job.follow()`; None tells them that there are no more jobs."""
    if launched() and main():
        _sent(job)


def follow() -> None:
    """In any other process: take part in one job after another. Only the main process prints."""
    while (job := _sent(None)) is not None:
        with contextlib.redirect_stderr(io.StringIO()):
            job.follow()


def _sent(job: Any) -> Any:
    from accelerate.utils import broadcast_object_list

    return broadcast_object_list([job])[0]
