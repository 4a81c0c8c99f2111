"""The sandbox: untrusted code runs here, in a process that bubblewrap shuts off from everything of ours.

    limits.py       every limit: memory, time, processes, files, output
    box.py          a box: what is run, within which limits, and what came of it
    runner.py       runs boxes, one, several connected ones, or many in parallel
    jobs.py         many jobs of an installed library in one box
    process.py      a running box, watched and killed
    command.py      bubblewrap's command line
    start.py        first lines inside a box: limits, rights, the filter of system calls
    syscalls.py     that filter
    cgroup.py       a cgroup around a box, where the system gives one
    programs/       programs of ours that run inside

Inside there are the interpreter that runs us with its standard library (no installed package), the system's shared
libraries and the given files in `box.IN`, all read-only; a /tmp of its own, bounded and gone afterwards, where the
program starts; three devices; nothing else: no home, no project, no /proc, no variable of ours. It has namespaces of
its own (users, processes, network without an interface, ...), no capability and no terminal, and may make only the
listed system calls.

A box dies with us, by kill -9 as well. Without a working bubblewrap, or where a limit cannot be set, nothing is run:
UserError.

Not defended against: faults of the kernel or of bubblewrap, and measuring how busy the machine is. Without a cgroup
what the kernel keeps for a process (page tables, buffers of its pipes, names of its files) is bounded by the other
limits alone: some tens of megabytes.
"""
