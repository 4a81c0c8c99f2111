"""Several processes on one training, one a device: `accelerate launch -m outgrow ...` or `torchrun -m outgrow ...`.

    z_i       every process computes its share of a batch's logits, and all get all of them
    gradient  of the whole batch's loss by a process's own z_i, summed over the processes

so a step is that of one process, up to the order of sums, whatever the loss makes of a batch. The main process runs the
command and alone writes; the others only ever train along.
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

PATIENCE = timedelta(days=7)
"""The others wait for as long as the main process has other things to do."""


@cache
def state() -> Any:
    """Of `accelerate`: which process this is, and of how many."""
    import torch.distributed.nn
    from accelerate import PartialState

    # torch.distributed.nn is imported while there is no group: defaults of its functions would hold one for good, its threads with it.
    found = PartialState(cpu=not torch.cuda.is_available(), **({"timeout": PATIENCE} if launched() else {}))
    if launched():
        # A thread of the group that lets go of a tensor when Python has ended aborts the process, and the launcher then ends all others.
        atexit.register(found.destroy_process_group)
    return found


def launched() -> bool:
    """Whether a launcher started several processes."""
    return int(os.environ.get("WORLD_SIZE", 1)) > 1


def main() -> bool:
    """Whether this is the process that runs the command."""
    return not launched() or state().is_main_process


def share(count: int) -> np.ndarray:
    """Which of `count` are this process's own."""
    return np.arange(state().process_index, count, state().num_processes) if launched() else np.arange(count)


def whole(own: torch.Tensor, count: int) -> torch.Tensor:
    """(count, ...) out of every process's share; gradients flow into one's own alone."""
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
    """The main process: all others join in `job.follow()`, or are told by None that there is no more."""
    if launched() and main():
        _sent(job)


def follow() -> None:
    """Any other process: join in one job after another. What there is to say, the main process says."""
    while (job := _sent(None)) is not None:
        with contextlib.redirect_stderr(io.StringIO()):
            job.follow()


def _sent(job: Any) -> Any:
    from accelerate.utils import broadcast_object_list

    return broadcast_object_list([job])[0]
