"""Replicates side by side: processes that share one store, each with its part of the processor.

A training of a small model on two threads takes three quarters of its time on one: two trainings at once, a thread
each, are done sooner. A process keeps its results in the store, where the process that started it finds them, and ends
with that process.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from multiprocessing import Pipe, connection
from typing import Any

from outgrow.core import machine, progress
from outgrow.core.errors import UserError
from outgrow.core.registry import lends
from outgrow.models import Model, loader

COPIES = 4
"""Most copies of a model's weights, in float32, that a process holds."""
_START = "from outgrow.pipeline.executors import serve; serve({})"


def count(models: Sequence[Model], replicates: int) -> int:
    """Processes for these replicates: one on an accelerator, else one a thread, as far as there is memory.

    On Windows a process inherits no pipe by its number: there is one process.
    """
    import torch

    if sys.platform == "win32" or loader.place() == "accelerator" or lends():
        return 1
    largest = max(model.parameters or 1 for model in models)
    return max(1, min(replicates, torch.get_num_threads(), machine.memory() // (4 * COPIES * largest)))


def side_by_side(
    work: Callable[..., Iterator[None]], given: Sequence[Any], numbers: Sequence[int], workers: int
) -> Iterator[None]:
    """Exhaust work(*given, number) for every number, and yield whenever it has yielded.

    Args:
        work: a generator function; pickled, with `given`, where there are several processes.
        given: its first arguments.
        numbers: its last argument, one after another.
        workers: how many processes; one is this process.

    Raises:
        UserError: that of a process.
        RuntimeError: a process ended before its time.
    """
    if workers == 1:
        for number in numbers:
            yield from work(*given, number)
        return
    import torch

    threads, left = max(1, torch.get_num_threads() // workers), list(numbers)
    with ExitStack() as stack:
        at_work: dict[connection.Connection[Any, Any], progress.Bar] = {}
        for _ in range(workers):
            here, there = Pipe()
            # Not by multiprocessing, which would run the user's script once more.
            command = [sys.executable, "-P", "-c", _START.format(there.fileno())]
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            process = subprocess.Popen(command, env=environment, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            there.close()
            here.send((work, given, threads))
            here.send(left.pop(0))
            at_work[stack.enter_context(here)] = stack.enter_context(progress.track("replicates side by side", 1))
        while at_work:
            for ready in connection.wait(list(at_work)):
                here = next(one for one in at_work if one is ready)
                try:
                    kind, *told = here.recv()
                except EOFError:
                    raise RuntimeError("a process that computed a replicate has ended before its time") from None
                if kind == "yielded":
                    yield
                elif kind == "said":
                    at_work[here].tell(*told)
                elif kind == "failed":
                    raise UserError(*told)
                elif left:
                    here.send(left.pop(0))
                else:
                    here.send(None)
                    at_work.pop(here)


def serve(handle: int) -> None:
    """The main function of a worker process, which is told its work over the connection of that number."""
    import torch

    # An interrupt is for whoever started this process, and ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe: connection.Connection[Any, Any] = connection.Connection(handle)
    numbers: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    work, given, threads = pipe.recv()
    threading.Thread(target=_read, args=(pipe, numbers), daemon=True).start()
    torch.set_num_threads(threads)
    while (number := numbers.get()) is not None:
        progress.heard_by(
            lambda label, *more, number=number: pipe.send(("said", f"replicate {number + 1}: {label}", *more))
        )
        try:
            for _ in work(*given, number):
                pipe.send(("yielded",))
        except UserError as error:
            pipe.send(("failed", str(error)))
            return
        pipe.send(("done",))


def _read(pipe: connection.Connection[Any, Any], numbers: queue.SimpleQueue[int | None]) -> None:
    """Pass on what comes; end the process once the other end is gone."""
    number: int | None = 0
    while number is not None:
        try:
            number = pipe.recv()
        except (EOFError, OSError):
            os._exit(1)
        numbers.put(number)
