"""Runs in a sandbox: an answer's program, of which one function is called with plain values until nobody calls any more.

    python _called.py ENTRY_POINT HANDLE_TO_READ HANDLE_TO_WRITE        beside program.py

Whatever the program does to this process, all it can bring about is what it says in reply. Each call is answered with one of

    ("value", what it returned, the arguments if it changed them, the type that lost something on the way, as in "unlike", or None)
    ("unlike", (name of the type, whether the program wrote its == itself), None, None)         what it returned is no plain value
    ("raised", the exception's class, its text, None)
"""

import os
import sys

from _values import Unlike, dumps, receive, send


def _raised(error: BaseException) -> tuple:
    return "raised", type(error).__name__, str(error)[:200], None


def _told(kind) -> tuple:
    """A type's name, and whether the program wrote its == itself (a dataclass has one that is not written)."""
    own = [
        one
        for one in kind.__mro__
        if one.__module__ == "answer" and "__eq__" in vars(one) and "__dataclass_fields__" not in vars(one)
    ]
    return kind.__name__, bool(own)


def _reply(value, arguments, named, before) -> tuple:
    loose: list = []
    try:
        dumps(value, loose)
        try:
            after = (arguments, named) if dumps((arguments, named)) != before else None
        except Unlike:
            after = None
    except Unlike as error:
        return "unlike", _told(error.kind) if error.kind else (str(error), False), None, None
    mutable = isinstance(value, (list, dict, set))
    same = mutable and any(value is one for one in (*arguments, *named.values()))
    lost = _told(loose[0]) if loose else ("very argument", False) if same else None
    return "value", value, after, lost


def main(entry_point: str, requests: int, replies: int) -> None:
    """Serves."""
    module = type(sys)("answer")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["answer"] = module
    with open(os.path.join(os.path.dirname(__file__), "program.py"), "rb") as file:
        program = file.read()
    reading, writing = os.fdopen(requests, "rb"), os.fdopen(replies, "wb")
    try:
        exec(compile(program, "program.py", "exec"), module.__dict__)
    except BaseException as error:
        send(writing, _raised(error))
        return
    function = module.__dict__.get(entry_point)
    if not callable(function):
        send(writing, ("raised", "NameError", f"there is no function {entry_point}", None))
        return
    send(writing, ("value", None, None, None))
    while True:
        try:
            arguments, named = receive(reading)
        except EOFError:
            return
        before = dumps((arguments, named))
        try:
            reply = _reply(function(*arguments, **named), arguments, named, before)
        except BaseException as error:
            reply = _raised(error)
        try:
            send(writing, reply)
        except Unlike as error:
            send(writing, ("unlike", (str(error), False), None, None))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
