"""Plain values as bytes and back: all that two processes that do not trust each other may exchange.

Reading runs nothing. Plain are numbers, texts, bytes, None, and lists, tuples, sets and dicts of them; they come back
exactly as they were (a tuple stays a tuple, 1 is neither 1.0 nor True, nan is nan). A value is a letter, and for most
its content or the number of parts that follow:

    N  T  F    i-12;  f0x1.8p+1;  c1.0,2.0;    s3:abc  b3:abc    l2;...  t2;...  S2;...  Z2;...  d1;key value

This file is put into boxes as well, and imports nothing.
"""

LONGEST = 4 << 20
"""Bytes of one value."""


class NotPlain(Exception):
    """A value is not plain; the text is the name of its type, `kind` the type where there is one."""

    def __init__(self, name, kind=None):
        super().__init__(name)
        self.kind = kind


def dumps(value, subclasses=None) -> bytes:
    """A value as bytes.

    Args:
        value: a plain value. An instance of a subclass counts as the type that it derives from.
        subclasses: a list to which the types of such instances are added.

    Raises:
        NotPlain: the value or a part of it is not plain, or it is nested too deep.
    """
    parts: list[bytes] = []
    try:
        _put(value, parts, [] if subclasses is None else subclasses)
    except RecursionError:
        raise NotPlain("value nested too deep") from None
    return b"".join(parts)


_PLAIN = (int, float, complex, str, bytes, list, tuple, set, frozenset, dict)
_LETTERS: dict = {list: b"l", tuple: b"t", set: b"S", frozenset: b"Z"}


def _put(value, parts, subclasses) -> None:
    if type(value) not in _PLAIN and isinstance(value, _PLAIN) and value is not True and value is not False:
        subclasses.append(type(value))
    if value is None or value is True or value is False:
        parts.append(b"N" if value is None else b"T" if value else b"F")
    elif isinstance(value, (int, float, complex)):
        parts.append(_number(value))
    elif isinstance(value, str):
        data = str.encode(value, "utf-8", "surrogatepass")
        parts.append(b"s%d:%s" % (len(data), data))
    elif isinstance(value, bytes):
        parts.append(b"b%d:%s" % (len(value), value))
    elif isinstance(value, dict):
        parts.append(b"d%d;" % len(value))
        for key, inner in dict.items(value):
            _put(key, parts, subclasses)
            _put(inner, parts, subclasses)
    else:
        # The built-in type's own methods: a subclass may have others.
        kind = next((kind for kind in _LETTERS if isinstance(value, kind)), None)
        if kind is None:
            raise NotPlain(type(value).__name__, type(value))
        parts.append(b"%s%d;" % (_LETTERS[kind], kind.__len__(value)))
        for inner in kind.__iter__(value):
            _put(inner, parts, subclasses)


def _number(value) -> bytes:
    if isinstance(value, int):
        return b"i%x;" % value if value >= 0 else b"i-%x;" % -value
    if isinstance(value, float):
        return f"f{float.hex(value)};".encode()
    return f"c{float.hex(value.real)},{float.hex(value.imag)};".encode()


def loads(data: bytes):
    """The value of these bytes. Raises ValueError where they are not one plain value."""
    try:
        value, end = _take(data, 0)
    except (IndexError, TypeError, RecursionError, OverflowError) as error:
        raise ValueError("not a plain value") from error
    if end != len(data):
        raise ValueError("more than one value")
    return value


def _take(data: bytes, at: int):
    """(value, where it ends) of the value that begins at `at`."""
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
    """Writes a value to an open binary file, behind its length. Raises NotPlain, also for more than `LONGEST` bytes."""
    data = dumps(value)
    if len(data) > LONGEST:
        raise NotPlain(f"value of more than {LONGEST} bytes")
    handle.write(b"%8d" % len(data) + data)
    handle.flush()


def receive(handle):
    """Reads what `send` wrote. Raises EOFError at the end of the file, ValueError where it is not a plain value."""
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
