"""Plain values as bytes and back: what two processes that do not trust each other may say to each other.

Nothing that is read here runs anything: numbers, texts, and lists, tuples, sets and dicts of them, exactly as they were (a tuple stays a tuple, 1 is
not 1.0 nor True, nan is nan). A value is a letter, and for most what it is or how many parts follow:

    N  T  F        i-12;  f0x1.8p+1;  c1.0,2.0;        s3:abc  b3:abc        l2;...  t2;...  S2;...  Z2;...  d1;key value

This file is put into sandboxes as well, and imports nothing.
"""

LONGEST = 4 << 20
"""Bytes of one value."""


class Unlike(Exception):
    """No plain value; its text is the name of the type, `kind` the type where there is one."""

    def __init__(self, name, kind=None):
        super().__init__(name)
        self.kind = kind


def dumps(value, loose=None) -> bytes:
    """Of a value; Unlike where it, or a part of it, is not plain, or it is nested too deep.

    Subclasses count as what they derive from; their types are put to the list `loose`.
    """
    parts: list[bytes] = []
    try:
        _put(value, parts, [] if loose is None else loose)
    except RecursionError:
        raise Unlike("value nested too deep") from None
    return b"".join(parts)


_PLAIN = (int, float, complex, str, bytes, list, tuple, set, frozenset, dict)


def _put(value, parts, loose) -> None:
    if type(value) not in _PLAIN and isinstance(value, _PLAIN) and value is not True and value is not False:
        loose.append(type(value))
    if value is None or value is True or value is False:
        parts.append(b"N" if value is None else b"T" if value else b"F")
    elif isinstance(value, int):
        parts.append(b"i%x;" % value if value >= 0 else b"i-%x;" % -value)
    elif isinstance(value, float):
        parts.append(f"f{float.hex(value)};".encode())
    elif isinstance(value, complex):
        parts.append(f"c{float.hex(value.real)},{float.hex(value.imag)};".encode())
    elif isinstance(value, str):
        data = str.encode(value, "utf-8", "surrogatepass")
        parts.append(b"s%d:%s" % (len(data), data))
    elif isinstance(value, bytes):
        parts.append(b"b%d:%s" % (len(value), value))
    elif isinstance(value, dict):
        parts.append(b"d%d;" % len(value))
        for key, inner in dict.items(value):
            _put(key, parts, loose)
            _put(inner, parts, loose)
    else:
        for kind, letter in ((list, b"l"), (tuple, b"t"), (set, b"S"), (frozenset, b"Z")):
            if isinstance(value, kind):
                parts.append(b"%s%d;" % (letter, kind.__len__(value)))
                for inner in kind.__iter__(value):
                    _put(inner, parts, loose)
                return
        raise Unlike(type(value).__name__, type(value))


def loads(data: bytes):
    """The value; ValueError where these bytes are none."""
    try:
        value, end = _take(data, 0)
    except (IndexError, TypeError, RecursionError, OverflowError) as error:
        raise ValueError("not a plain value") from error
    if end != len(data):
        raise ValueError("more than one value")
    return value


def _take(data: bytes, at: int):
    letter = data[at : at + 1]
    if letter in (b"N", b"T", b"F"):
        return {b"N": None, b"T": True, b"F": False}[letter], at + 1
    if letter in (b"s", b"b"):
        end = data.index(b":", at) + 1
        size = int(data[at + 1 : end - 1])
        if not 0 <= size <= len(data) - end:
            raise ValueError("a text ends too soon")
        inner = data[end : end + size]
        return inner.decode("utf-8", "surrogatepass") if letter == b"s" else inner, end + size
    end = data.index(b";", at) + 1
    text = data[at + 1 : end - 1].decode("ascii")
    if letter == b"i":
        return int(text, 16), end
    if letter == b"f":
        return float.fromhex(text), end
    if letter == b"c":
        real, imaginary = text.split(",")
        return complex(float.fromhex(real), float.fromhex(imaginary)), end
    if letter not in (b"l", b"t", b"S", b"Z", b"d"):
        raise ValueError("no such letter")
    parts = []
    for _ in range(int(text) * (2 if letter == b"d" else 1)):
        part, end = _take(data, end)
        parts.append(part)
    if letter == b"d":
        return dict(zip(parts[::2], parts[1::2], strict=True)), end
    return {b"l": list, b"t": tuple, b"S": set, b"Z": frozenset}[letter](parts), end


def send(handle, value) -> None:
    """A frame on an open binary file."""
    data = dumps(value)
    if len(data) > LONGEST:
        raise Unlike(f"value of more than {LONGEST} bytes")
    handle.write(b"%8d" % len(data) + data)
    handle.flush()


def receive(handle):
    """The next frame's value; EOFError where there is none, ValueError where it is not one."""
    head = handle.read(8)
    if len(head) < 8:
        raise EOFError
    size = int(head)
    if not 0 <= size <= LONGEST:
        raise ValueError("too long a frame")
    data = handle.read(size)
    if len(data) < size:
        raise EOFError
    return loads(data)
