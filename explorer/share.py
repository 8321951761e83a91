"""Networks as text: JSON documents, and short tokens for the address bar. ``docs/format.md`` describes both.

A network's token is ``2.paper`` for a preset and ``2.paper.<changes>`` for an edited one: the parts of the config that
differ from the preset, as packed JSON. A shelf's token is ``2.<variants>``. Packed is compact JSON behind a checksum,
deflated with a dictionary that both sides know, in URL-safe base64. The leading number is the version: version 1
had neither checksum nor dictionary and is still read.
"""

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from explorer.analysis import problems
from explorer.config import GoogLeNetConfig, UnbuildableError
from explorer.errors import UserError
from explorer.history import Version
from explorer.presets import PRESETS
from explorer.shelf import MAX_VARIANTS, ShelfError, Variant, checked_variants

VERSION = 1  # of documents
TOKEN_VERSION = 2
FORMAT = "inception-explorer network"
SHELF_FORMAT = "inception-explorer shelf"
MAX_TOKEN = 4_000
MAX_SHELF_TOKEN = 3_500  # a link of both stays below the 8 kB that servers in between let through
MAX_DOCUMENT = 100_000
MAX_SHELF_DOCUMENT = 1_000_000
_REASONS = 3  # problems that are told of a network that cannot be built; a hostile one has thousands
_CHECKSUM = 3  # bytes
# By the beginning of pydantic's name for a wrong type: what belongs in a field.
_BELONGS = {
    "int": "a whole number belongs here",
    "float": "a number belongs here",
    "bool": "true or false belongs here",
    "string_pattern": "a stage and a small letter belong here, such as 4b",
    "string": "text belongs here",
    "literal": "one of {expected} belongs here",
    "tuple": "a list belongs here",
    "too_": "the list has the wrong length",
    "model": "a list of fields belongs here",
    "missing": "it is missing",
    "extra": "there is no such field",
}

# What a token need not spell out, the likeliest last. A link that someone has kept depends on every sign of it.
_DICTIONARY = (
    b'"mini""half""two_3x3""naive""no_reduction""inception5h""torchvision""batch_norm""paper"'
    b'"normalisation":"none","pooling":"floor","pooling":"padded","pooling":"torchvision","kind":"small","lrn","ceil"'
    b'"aux":{"conv":128,"dropout":0.7,"hidden":1024,"loss_weight":0.3,"pool":"adaptive","taps":["4a","4d"]},'
    b'"classes":1000,"conv_bias":false,"conv_bias":true,"dropout":0.4,"input_shape":[3,224,224],'
    b'"kernel_5x5":"5x5","kernel_5x5":"3x3","kernel_5x5":"two_3x3","modules":["3a","3b",["5b",384,192,384,48,128,128],'
    b'["3b",128,128,192,32,96,64],"normalisation":"batch_norm","pooling":"ceil","stem":{"conv1":64,"conv2":192,'
    b'"conv2_reduce":64},null,{"modules":["3a","3b","4a","4b","4c","4d","4e","5a","5b"]}'
    b'"4d","4e","5a","5b"]}{"modules":["3a","3b",["4a",192,96,208,16,48,64],"4b","4c","4d","4e","5a","5b"]}'
)


class ShareError(UserError, ValueError):
    """A link or file that describes no network; the message says what is wrong with it."""


def to_token(version: Version) -> str:
    """Return the short text that stands in a link. Equal versions have equal tokens."""
    changed = _changed(version)
    return f"{TOKEN_VERSION}.{version.base}" + (f".{_packed(changed)}" if changed else "")


def from_token(token: str) -> Version:
    """Read a link's token back. Raises ShareError for anything that describes no buildable network."""
    version, _, rest = token.partition(".")
    base, _, packed = rest.partition(".")
    if len(token) > MAX_TOKEN or not rest:
        raise ShareError("The link is broken: it describes no network.")
    unpack = _reader(version)
    if base not in PRESETS:
        raise ShareError(f"The link starts from a network that is not known here: “{base[:30]}”.")
    if not packed:
        return Version(base, PRESETS[base])
    with _explained("link"):
        return _restored(base, unpack(packed, MAX_DOCUMENT))


def to_shelf_token(variants: Sequence[Variant]) -> str | None:
    """Return the text that carries a shelf in a link; None when it is too long for one."""
    token = f"{TOKEN_VERSION}.{_packed([_plain_variant(variant) for variant in variants])}"
    return token if len(token) <= MAX_SHELF_TOKEN else None


def from_shelf_token(token: str) -> tuple[Variant, ...]:
    """Read the shelf of a link back, all of it or nothing. Raises ShareError with the reason."""
    version, _, packed = token.partition(".")
    if len(token) > MAX_SHELF_TOKEN or not packed:
        raise ShareError("The link is broken: it describes no shelf.")
    unpack = _reader(version)
    with _explained("link"):
        rows = unpack(packed, MAX_SHELF_DOCUMENT)
        return _shelved(rows, lambda row: _variant(*row))


def to_json(config: GoogLeNetConfig) -> str:
    """Return the config as a JSON document of this format and version."""
    document = {"format": FORMAT, "version": VERSION, "config": _plain(config)}
    return json.dumps(document, indent=2, ensure_ascii=False)


def from_json(text: str | bytes) -> GoogLeNetConfig:
    """Read a document made by :func:`to_json`. Raises ShareError with the reason for anything else."""
    with _explained("file"):
        return _checked(_opened(text, FORMAT, "network", MAX_DOCUMENT).get("config"))


def shelf_to_json(variants: Sequence[Variant]) -> str:
    """Return a whole shelf as a JSON document: each variant with its name, note, base and config."""
    rows = [
        {"name": name, "note": note, "base": version.base, "config": _plain(version.config)}
        for name, version, note in variants
    ]
    document = {"format": SHELF_FORMAT, "version": VERSION, "variants": rows}
    return json.dumps(document, indent=1, ensure_ascii=False)


def shelf_from_json(text: str | bytes) -> tuple[Variant, ...]:
    """Read a document made by :func:`shelf_to_json`, all of it or nothing. Raises ShareError with the reason."""
    with _explained("file"):
        rows = _opened(text, SHELF_FORMAT, "shelf", MAX_SHELF_DOCUMENT).get("variants")
        return _shelved(rows, _document_variant)


def is_shelf(text: str | bytes) -> bool:
    """Whether a document says that it is a shelf; whether it is a good one shows when it is read."""
    return SHELF_FORMAT.encode() in text if isinstance(text, bytes) else SHELF_FORMAT in text


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn whatever reading a ``link`` or ``file`` may raise into a ShareError with a sentence."""
    try:
        yield
    except (ShareError, ShelfError) as error:
        raise ShareError(str(error)) from error
    except UnbuildableError as error:
        raise ShareError(f"The {what} describes a network that cannot be built. {_reasons(error)}") from error
    except ValidationError as error:
        raise ShareError(f"The {what} describes no network: {_misfit(error)}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error, RecursionError) as error:
        broken = "is no JSON text, or is cut off" if what == "file" else "is broken or cut off"
        raise ShareError(f"The {what} {broken}: it describes no network.") from error


def _misfit(error: ValidationError) -> str:
    """Say of the first field that has a wrong type which it is and what belongs there."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))[:60] or "config"
    told = (told for kind, told in _BELONGS.items() if first["type"].startswith(kind))
    return f"{where}: {next(told, 'what stands here does not fit').format(**first.get('ctx', {}))}"


def _opened(text: str | bytes, kind: str, called: str, most: int) -> dict[str, Any]:
    """Return the document in a file if it is of that format and of this version."""
    if len(text) > most:
        raise ShareError(f"The file is larger than any {called}: at most {most:,} bytes.")
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("format") != kind:
        raise ShareError(f"The file is JSON, but not a {called} of this app.")
    if document.get("version") != VERSION:
        raise ShareError(f"The file is of another version; this app reads version {VERSION}.")
    return document


def _shelved(rows: Any, read: Callable[[Any], Variant]) -> tuple[Variant, ...]:
    if not isinstance(rows, list):
        raise ShareError("There is no list of variants in it.")
    if len(rows) > MAX_VARIANTS:
        raise ShareError(f"It describes {len(rows):,} variants. A shelf holds at most {MAX_VARIANTS}.")
    return checked_variants(map(read, rows))


def _plain_variant(variant: Variant) -> list[Any]:
    name, version, note = variant
    return [name, version.base, _changed(version), *((note,) if note else ())]


def _variant(name: Any, base: Any, changed: Any, note: Any = "") -> Variant:
    return Variant(_text(name), _restored(_preset(base), changed), _text(note))


def _document_variant(row: Any) -> Variant:
    version = Version(_preset(row["base"]), _checked(row["config"]))
    return Variant(_text(row["name"]), version, _text(row.get("note", "")))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ShareError("A variant's name and note are text; here they are not.")
    return value


def _preset(name: Any) -> str:
    if not isinstance(name, str) or name not in PRESETS:
        raise ShareError(f"It starts from a network that is not known here: “{str(name)[:30]}”.")
    return name


def _reasons(error: UnbuildableError) -> str:
    told = " ".join(problem.message for problem in error.problems[:_REASONS])
    more = len(error.problems) - _REASONS
    return f"{told} (And {more} more.)" if more > 0 else told


def _checked(plain: Any) -> GoogLeNetConfig:
    config = GoogLeNetConfig.model_validate_json(json.dumps(plain))
    if found := problems(config):
        raise UnbuildableError(found)
    return config


def _plain(config: GoogLeNetConfig) -> dict[str, Any]:
    return config.model_dump(mode="json")


def _changed(version: Version) -> dict[str, Any]:
    """Return the fields that differ from the preset; of the stem and the heads only the parts that do."""
    base, config = _plain(version.base_config), _plain(version.config)
    changed = {field: value for field, value in config.items() if value != base[field]}
    for part in ("stem", "aux"):
        if part in changed:
            changed[part] = {field: value for field, value in config[part].items() if value != base[part][field]}
    if "modules" in changed:
        changed["modules"] = _packed_modules(version.base_config, version.config)
    return changed


def _restored(base: str, changed: Any) -> Version:
    plain = _plain(PRESETS[base])
    fields = plain | changed
    for part in ("stem", "aux"):
        fields[part] = plain[part] | fields[part]
    if "modules" in changed:
        fields["modules"] = _unpacked_modules(PRESETS[base], changed["modules"])
    return Version(base, _checked(fields))


def _packed_modules(base: GoogLeNetConfig, config: GoogLeNetConfig) -> list[Any]:
    """Each row as its name alone where the preset has the same row, else as the list of its cells."""
    known = set(base.modules)
    return [module.name if module in known else list(module.model_dump().values()) for module in config.modules]


def _unpacked_modules(base: GoogLeNetConfig, packed: Any) -> list[dict[str, Any]]:
    fields = tuple(type(base.modules[0]).model_fields)
    return [
        base.module(row).model_dump() if isinstance(row, str) else dict(zip(fields, row, strict=True)) for row in packed
    ]


def _packed(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return urlsafe_b64encode(_checksum(text) + deflater.compress(text) + deflater.flush()).decode().rstrip("=")


def _checksum(text: bytes) -> bytes:
    return zlib.crc32(text).to_bytes(4, "big")[:_CHECKSUM]


def _reader(version: str) -> Callable[[str, int], Any]:
    """Return how packed JSON of that version is read: a function of it and of the most bytes it may unfold to."""
    readers = {"1": _unpacked_1, "2": _unpacked_2}
    if version not in readers:
        raise ShareError(f"The link is of version “{version[:10]}”; this app reads versions up to {TOKEN_VERSION}.")
    return readers[version]


def _unpacked_1(packed: str, most: int) -> Any:
    return json.loads(_inflated(_bytes(packed), zlib.decompressobj(), most))


def _unpacked_2(packed: str, most: int) -> Any:
    raw = _bytes(packed)
    text = _inflated(raw[_CHECKSUM:], zlib.decompressobj(-zlib.MAX_WBITS, _DICTIONARY), most)
    if _checksum(text) != raw[:_CHECKSUM]:
        raise ShareError("The link is broken: a part of it has changed on its way.")
    return json.loads(text)


def _bytes(packed: str) -> bytes:
    return urlsafe_b64decode(packed + "=" * (-len(packed) % 4))


def _inflated(raw: bytes, inflater: Any, most: int) -> bytes:
    """Decompress at most that many bytes, so that a small bomb stays small."""
    data = inflater.decompress(raw, most)
    if inflater.unconsumed_tail or not inflater.eof:
        raise ShareError("The link is cut off, or larger than any network.")
    return data
