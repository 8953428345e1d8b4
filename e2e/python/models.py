"""A typed decoder of the v2 dialect that knows nothing of the server's own types: the contract's models, as a strict client has
them. `models.txt` and `feeds_v3.txt` have them in the contract's notation."""

import pathlib
import re

_FIELD = re.compile(r"(?P<name>\w+)(?P<optional>\?)?(?::(?P<kind>\S+))?")


def _read():
    models = {}
    for source in ("feeds_v3.txt", "models.txt"):
        for line in pathlib.Path(__file__).with_name(source).read_text().splitlines():
            if line and not line.startswith("#"):
                name, fields = line.split(":", 1)
                models[name] = [_FIELD.fullmatch(field).groupdict() for field in fields.split()]
    return models


MODELS = _read()


def _is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


_PLAIN = {
    "str": lambda value: isinstance(value, str),
    "int": _is_integer,
    "ts": _is_integer,
    "num": lambda value: _is_integer(value) or isinstance(value, float),
    "bool": lambda value: isinstance(value, bool),
    "obj": lambda value: isinstance(value, dict),
}


def _look(kind, value, path):
    if kind in _PLAIN:
        return [] if _PLAIN[kind](value) else [f"{path} is {value!r}, and no {kind}"]
    if kind[0] == "[":
        if not isinstance(value, list):
            return [f"{path} is {value!r}, and no list"]
        return [fault for n, item in enumerate(value) for fault in _look(kind[1:-1], item, f"{path}[{n}]")]
    if not isinstance(value, dict):
        return [f"{path} is {value!r}, and no object"]
    if kind[0] == "{":
        return [fault for name, item in value.items() for fault in _look(kind[1:-1], item, f"{path}.{name}")]
    return faults(kind, value, path)


def faults(model, value, path=None):
    """What keeps `value` from decoding as `model`: fields that lack, times that are no integers, lists for maps."""
    path, found = path or model, []
    for field in MODELS[model]:
        inner = value.get(field["name"])
        if inner is None and field["optional"]:
            continue
        if field["name"] not in value:
            found.append(f"{path} has no {field['name']}")
        else:
            found += _look(field["kind"] or "str", inner, f"{path}.{field['name']}")
    return found


def check(model, value):
    """Fails unless `value` decodes as `model`."""
    assert isinstance(value.get("duration"), str), value
    found = faults(model, value)
    assert not found, "\n".join(found)


def check_call(method, path, answer):
    """Fails unless what `method` of `path`, below `/api/v2/feeds/`, answered decodes as the contract says of that call."""
    path = path.split("/")

    def fits(name):
        verb, _, pattern = name.partition(" /")
        parts = pattern.split("/")
        pairs = zip(parts, path, strict=False)
        return verb == method and len(parts) == len(path) and all(a == b or a[0] == "{" for a, b in pairs)

    # A pattern with fewer names in braces fits more closely.
    known = min(filter(fits, MODELS), key=lambda name: name.count("{"), default=None)
    assert known, (method, path)
    check(known, answer)
