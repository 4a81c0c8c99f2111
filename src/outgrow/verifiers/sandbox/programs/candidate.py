"""Runs in a box: an answer's program, whose function is called with plain values until no more calls come.

    python candidate.py ENTRY_POINT HANDLE_TO_READ HANDLE_TO_WRITE        beside program.py

Whatever the program does to this process, it reaches the tests only by its replies. The reply to a call is one of

    ("value", value, arguments, loss)
        arguments: (positional, named) if the call changed them, else None
        loss: (type, own) if the value lost something on the way, as below, else None
    ("not plain", (type, own), None, None)
        type: name of the type of the value; own: whether the program itself wrote that type's ==
    ("raised", class of the exception, its text, None)
"""

import os
import sys

from plain_values import NotPlain, dumps, receive, send


def _raised(error: BaseException) -> tuple:
    return "raised", type(error).__name__, str(error)[:200], None


def _described(kind) -> tuple:
    """(name of a type, whether the program wrote its == itself; a dataclass has one that is not written)."""
    own = [
        one
        for one in kind.__mro__
        if one.__module__ == "answer" and "__eq__" in vars(one) and "__dataclass_fields__" not in vars(one)
    ]
    return kind.__name__, bool(own)


def _reply(value, arguments, named, before) -> tuple:
    subclasses: list = []
    try:
        dumps(value, subclasses)
        try:
            after = (arguments, named) if dumps((arguments, named)) != before else None
        except NotPlain:
            after = None
    except NotPlain as error:
        return "not plain", _described(error.kind) if error.kind else (str(error), False), None, None
    mutable = isinstance(value, (list, dict, set))
    same = mutable and any(value is one for one in (*arguments, *named.values()))
    loss = _described(subclasses[0]) if subclasses else ("very argument", False) if same else None
    return "value", value, after, loss


def main(entry_point: str, requests: int, replies: int) -> None:
    """Runs program.py, then replies to calls until the requests end."""
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
        except NotPlain as error:
            send(writing, ("not plain", (str(error), False), None, None))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
