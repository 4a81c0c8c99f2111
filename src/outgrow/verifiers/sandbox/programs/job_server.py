"""Runs in a box: replies to one job after another by the function `answer` of another file there.

    python job_server.py MODULE SECONDS        jobs (`plain_values.py`) on standard input, "ready" and the replies on
                                               standard output

A job that takes longer on the processor is ended by the kernel, and this process with it, whatever it was doing.
"""

import importlib
import os
import signal
import sys

from plain_values import receive, send


def main(module: str, seconds: int) -> None:
    """Serves until standard input ends."""
    jobs, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
    answer = importlib.import_module(module).answer
    send(replies, "ready")
    while True:
        try:
            job = receive(jobs)
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, seconds)
        reply = answer(job)
        signal.setitimer(signal.ITIMER_PROF, 0)
        send(replies, reply)


main(sys.argv[1], int(sys.argv[2]))
