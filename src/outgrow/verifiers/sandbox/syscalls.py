"""The system calls that a sandboxed program may make: a filter (seccomp-bpf) that allows what CPython needs.

Refused, among others: sockets (a pair of its own aside), System V semaphores, queues and shared memory, POSIX queues,
memfd, io_uring, userfaultfd, bpf, perf_event_open, ptrace and other ways into a process, keyrings, namespaces and
mounts, new processes, timers that the kernel keeps (timer_create), inotify, and whatever a newer kernel adds. A refused
call gives EPERM. A call newer than this list gives ENOSYS, as on an older kernel, and so does clone3, whose flags a
filter cannot see. Some calls are allowed only with certain values of an argument (`USES`).
"""

from __future__ import annotations

import platform
import struct
from functools import cache

ALWAYS = """
read 0 63; write 1 64; readv 19 65; writev 20 66; pread64 17 67; pwrite64 18 68; open 2 -; openat 257 56; close 3 57;
close_range 436 436; stat 4 -; fstat 5 80; lstat 6 -; newfstatat 262 79; statx 332 291; lseek 8 62; poll 7 -; ppoll
271 73; select 23 -; pselect6 270 72; epoll_create1 291 20; epoll_ctl 233 21; epoll_wait 232 -; epoll_pwait 281 22;
eventfd2 290 19; mmap 9 222; mprotect 10 226; munmap 11 215; mremap 25 216; madvise 28 233; msync 26 227; brk 12 214;
rt_sigaction 13 134; rt_sigprocmask 14 135; rt_sigreturn 15 139; rt_sigpending 127 136; rt_sigtimedwait 128 137;
rt_sigsuspend 130 133; sigaltstack 131 132; restart_syscall 219 128; access 21 -; faccessat 269 48; faccessat2 439
439; readlink 89 -; readlinkat 267 78; getdents64 217 61; getcwd 79 17; chdir 80 49; fchdir 81 50; statfs 137 43;
fstatfs 138 44; listxattr 194 11; llistxattr 195 12; flistxattr 196 13; mkdir 83 -; mkdirat 258 34; rmdir 84 -; unlink
87 -; unlinkat 263 35; rename 82 -; renameat 264 38; renameat2 316 276; link 86 -; linkat 265 37; symlink 88 -;
symlinkat 266 36; chmod 90 -; fchmod 91 52; fchmodat 268 53; umask 95 166; truncate 76 45; ftruncate 77 46; fsync 74
82; fdatasync 75 83; flock 73 32; utime 132 -; utimes 235 -; futimesat 261 -; utimensat 280 88; pipe 22 -; pipe2 293
59; dup 32 23; dup2 33 -; dup3 292 24; getsockname 51 204; getsockopt 55 209; sendto 44 206; recvfrom 45 207; shutdown
48 210; sched_yield 24 124; sched_getaffinity 204 123; sched_getparam 143 121; sched_getscheduler 145 120;
sched_get_priority_max 146 125; sched_get_priority_min 147 126; getpriority 140 141; pause 34 -; nanosleep 35 101;
clock_nanosleep 230 115; alarm 37 -; getitimer 36 102; setitimer 38 103; time 201 -; gettimeofday 96 169;
clock_gettime 228 113; clock_getres 229 114; times 100 153; getrusage 98 165; sysinfo 99 179; uname 63 160; getpid 39
172; getppid 110 173; gettid 186 178; getpgrp 111 -; getpgid 121 155; getsid 124 156; getuid 102 174; geteuid 107 175;
getgid 104 176; getegid 108 177; getgroups 115 158; getresuid 118 148; getresgid 120 150; getrlimit 97 163; getcpu 309
168; futex 202 98; set_robust_list 273 99; get_robust_list 274 100; set_tid_address 218 96; rseq 334 293; getrandom
318 278; arch_prctl 158 -; kill 62 129; tkill 200 130; tgkill 234 131; wait4 61 260; waitid 247 95; exit 60 93;
exit_group 231 94
"""
"""Calls allowed in every use: name, number on x86_64, number on aarch64 ("-": it has none)."""

SOME = """
clone 56 220; clone3 435 435; execve 59 221; ioctl 16 29; fcntl 72 25; prctl 157 167; prlimit64 302 261; socketpair 53
199
"""
"""Calls allowed in some uses, written in the same way."""

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The kernel's number of each processor (AUDIT_ARCH_...), which it gives to the filter with every call."""

NEWEST = 446
"""Calls with higher numbers are newer than this list."""

USES = {
    # TCGETS (is it a terminal?), TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX
    "ioctl": (1, (0x5401, 0x5413, 0x541B, 0x5421, 0x5451, 0x5450)),
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, locks of two kinds, F_DUPFD_CLOEXEC; not the size of a pipe
    "fcntl": (1, (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030)),
    # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA
    "prctl": (0, (15, 16, 0x53564D41)),
    # of the process itself
    "prlimit64": (0, (0,)),
    # AF_UNIX: asyncio wakes itself by a pair
    "socketpair": (0, (1,)),
}
"""Index of an argument and its allowed values (of its lower half, which is all that the kernel reads of these)."""

_LOAD, _EQUAL, _ABOVE, _AND, _RETURN = 0x20, 0x15, 0x25, 0x54, 0x06
"""Operations of BPF: load a word, jump if equal, jump if greater, and, return."""
_KILL, _ALLOW, _EPERM, _ENOSYS = 0x80000000, 0x7FFF0000, 0x00050001, 0x00050026
"""What a filter returns for a call."""
_THREAD, _NAMESPACES = 0x00010000, 0x7E020080
"""Flags of clone."""


def numbers(machine: str) -> dict[str, int]:
    """Numbers of the listed calls by name, of those that a processor ("x86_64" or "aarch64") has."""
    which = 1 if machine == "x86_64" else 2
    rows = (row.split() for row in f"{ALWAYS};{SOME}".split(";"))
    return {row[0]: int(row[which]) for row in rows if row[which] != "-"}


@cache
def seccomp_filter(threads: bool, execute: bool, machine: str = "") -> bytes:
    """The filter as a BPF program.

    Args:
        threads: whether threads may be started.
        execute: whether the process may become another program.
        machine: "x86_64" or "aarch64"; this machine's processor where not given.

    Raises:
        KeyError: another processor.
    """
    machine = machine or platform.machine()
    number = numbers(machine)
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, ARCHITECTURES[machine]), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    lines += [(_ABOVE, 0, 1, 0x3FFFFFFF), (_RETURN, 0, 0, _KILL)]
    some = {row.split()[0] for row in SOME.split(";")}
    whole = {*number} - some | ({"execve"} if execute else set())
    for name in sorted(whole, key=number.__getitem__):
        lines += [(_EQUAL, 0, 1, number[name]), (_RETURN, 0, 0, _ALLOW)]
    for name, (argument, values) in USES.items():
        tests = [line for value in values for line in ((_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW))]
        load = (_LOAD, 0, 0, 16 + 8 * argument)
        lines += [(_EQUAL, 0, len(tests) + 2, number[name]), load, *tests, (_RETURN, 0, 0, _EPERM)]
    if threads:
        flags = [(_LOAD, 0, 0, 16), (_AND, 0, 0, _THREAD | _NAMESPACES)]
        flags += [(_EQUAL, 0, 1, _THREAD), (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _EPERM)]
        lines += [(_EQUAL, 0, len(flags), number["clone"]), *flags]
    lines += [(_EQUAL, 0, 1, number["clone3"]), (_RETURN, 0, 0, _ENOSYS)]
    lines += [(_ABOVE, 0, 1, NEWEST), (_RETURN, 0, 0, _ENOSYS), (_RETURN, 0, 0, _EPERM)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
