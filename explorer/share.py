"""Write and read networks as text: JSON documents, and short tokens for links. ``docs/format.md`` describes both.

A network's token is ``2.paper`` for a preset and ``2.paper.<changes>`` for an edited one, with the parts of the config
that differ from the preset as packed JSON. A shelf's token is ``2.<variants>``. Packed JSON is a checksum and the
compact JSON, deflated with the dictionary below, in URL-safe base64. The leading number is the version. Version 1 had
neither checksum nor dictionary; it can still be read.
"""

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from pydantic import ValidationError

from explorer.analysis import problems
from explorer.config import GoogLeNetConfig
from explorer.errors import UnbuildableError, UserError
from explorer.history import Version
from explorer.presets import PRESETS
from explorer.shelf import MAX_VARIANTS, ShelfError, Variant, validate_variants

VERSION = 1  # of documents
TOKEN_VERSION = 2
FORMAT = "inception-explorer network"
SHELF_FORMAT = "inception-explorer shelf"
MAX_TOKEN = 4_000
MAX_SHELF_TOKEN = 3_500  # so that a link with both stays below the 8 kB that proxies accept
MAX_DOCUMENT = 100_000
MAX_SHELF_DOCUMENT = 1_000_000
_MAX_REASONS = 3  # problems in a message; a malicious network has thousands
_CHECKSUM_BYTES = 3
# What a field expects, by the beginning of pydantic's name for the error: its own messages are not for users.
_EXPECTED = {
    "int": "expected a whole number",
    "float": "expected a number",
    "bool": "expected true or false",
    "string_pattern": "expected a stage and a lowercase letter, such as 4b",
    "string": "expected text",
    "literal": "expected {expected}",
    "tuple": "expected a list",
    "too_": "the list has the wrong length",
    "model": "expected an object with fields",
    "missing": "this field is missing",
    "extra": "this field is unknown",
}

# Text that tokens can refer to instead of spelling it out, the most likely last. Any change of it breaks saved links.
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


class _Inflater(Protocol):
    """What ``zlib.decompressobj`` returns; zlib does not export its type."""

    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class ShareError(UserError, ValueError):
    """A link or file without a valid network or shelf. The message says what is wrong with it."""


def to_token(version: Version) -> str:
    """Return the token of a version for a link. Equal versions have equal tokens."""
    changed = _changed_fields(version)
    return f"{TOKEN_VERSION}.{version.base}" + (f".{_pack(changed)}" if changed else "")


def from_token(token: str) -> Version:
    """Read a token from a link. Raises ShareError unless it describes a network that can be built."""
    version, _, rest = token.partition(".")
    base, _, packed = rest.partition(".")
    if len(token) > MAX_TOKEN or not rest:
        raise ShareError("The link is broken: it describes no network.")
    unpack = _unpacker(version)
    if base not in PRESETS:
        raise ShareError(f"The link starts from an unknown preset: “{base[:30]}”.")
    if not packed:
        return Version(base, PRESETS[base])
    with _share_errors("link"):
        return _restore(base, unpack(packed, MAX_DOCUMENT))


def to_shelf_token(variants: Sequence[Variant]) -> str | None:
    """Return the token of a shelf for a link, or None when it would be too long."""
    token = f"{TOKEN_VERSION}.{_pack([_variant_to_list(variant) for variant in variants])}"
    return token if len(token) <= MAX_SHELF_TOKEN else None


def from_shelf_token(token: str) -> tuple[Variant, ...]:
    """Read the shelf in a link, the whole or none of it. Raises ShareError with the reason."""
    version, _, packed = token.partition(".")
    if len(token) > MAX_SHELF_TOKEN or not packed:
        raise ShareError("The link is broken: it describes no shelf.")
    unpack = _unpacker(version)
    with _share_errors("link"):
        rows = unpack(packed, MAX_SHELF_DOCUMENT)
        return _read_variants(rows, lambda row: _variant(*row))


def to_json(config: GoogLeNetConfig) -> str:
    """Return the config as a JSON document of this format and version."""
    document = {"format": FORMAT, "version": VERSION, "config": _to_dict(config)}
    return json.dumps(document, indent=2, ensure_ascii=False)


def from_json(text: str | bytes) -> GoogLeNetConfig:
    """Read a document made by :func:`to_json`. Raises ShareError with the reason for anything else."""
    with _share_errors("file"):
        return _validate(_open_document(text, FORMAT, "network", MAX_DOCUMENT).get("config"))


def shelf_to_json(variants: Sequence[Variant]) -> str:
    """Return a shelf as a JSON document: each variant with its name, note, base and config."""
    rows = [
        {"name": name, "note": note, "base": version.base, "config": _to_dict(version.config)}
        for name, version, note in variants
    ]
    document = {"format": SHELF_FORMAT, "version": VERSION, "variants": rows}
    return json.dumps(document, indent=1, ensure_ascii=False)


def shelf_from_json(text: str | bytes) -> tuple[Variant, ...]:
    """Read a document made by :func:`shelf_to_json`, the whole or none of it. Raises ShareError with the reason."""
    with _share_errors("file"):
        rows = _open_document(text, SHELF_FORMAT, "shelf", MAX_SHELF_DOCUMENT).get("variants")
        return _read_variants(rows, _document_variant)


def is_shelf(text: str | bytes) -> bool:
    """Whether a document names the format of a shelf; it may still be invalid."""
    return SHELF_FORMAT.encode() in text if isinstance(text, bytes) else SHELF_FORMAT in text


@contextmanager
def _share_errors(what: str) -> Iterator[None]:
    """Turn any exception from reading a ``link`` or ``file`` into a ShareError with a message for the user."""
    try:
        yield
    except (ShareError, ShelfError) as error:
        raise ShareError(str(error)) from error
    except UnbuildableError as error:
        raise ShareError(f"The {what} describes a network that cannot be built. {_reasons(error)}") from error
    except ValidationError as error:
        raise ShareError(f"The {what} describes no network: {_type_message(error)}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error, RecursionError) as error:
        broken = "is not JSON, or is cut off" if what == "file" else "is broken or cut off"
        raise ShareError(f"The {what} {broken}: it describes no network.") from error


def _type_message(error: ValidationError) -> str:
    """Name the first field with a wrong type, and say what it expects."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))[:60] or "config"
    expected = (expected for kind, expected in _EXPECTED.items() if first["type"].startswith(kind))
    return f"{where}: {next(expected, 'this value is not valid').format(**first.get('ctx', {}))}"


def _open_document(text: str | bytes, file_format: str, content: str, max_bytes: int) -> dict[str, Any]:
    """Return the document in a file. Raises ShareError if it has another format or version, or is too large."""
    if len(text) > max_bytes:
        raise ShareError(f"The file is too large for a {content}: at most {max_bytes:,} bytes.")
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("format") != file_format:
        raise ShareError(f"The file is JSON, but not a {content} of this app.")
    if document.get("version") != VERSION:
        raise ShareError(f"The file has another version; this app reads version {VERSION}.")
    return document


def _read_variants(rows: Any, read: Callable[[Any], Variant]) -> tuple[Variant, ...]:
    if not isinstance(rows, list):
        raise ShareError("It has no list of variants.")
    if len(rows) > MAX_VARIANTS:
        raise ShareError(f"It has {len(rows):,} variants. A shelf has at most {MAX_VARIANTS}.")
    return validate_variants(map(read, rows))


def _variant_to_list(variant: Variant) -> list[Any]:
    name, version, note = variant
    return [name, version.base, _changed_fields(version), *((note,) if note else ())]


def _variant(name: Any, base: Any, changed: Any, note: Any = "") -> Variant:
    return Variant(_text(name), _restore(_preset(base), changed), _text(note))


def _document_variant(row: Any) -> Variant:
    version = Version(_preset(row["base"]), _validate(row["config"]))
    return Variant(_text(row["name"]), version, _text(row.get("note", "")))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ShareError("A variant's name and note must be text.")
    return value


def _preset(name: Any) -> str:
    if not isinstance(name, str) or name not in PRESETS:
        raise ShareError(f"It starts from an unknown preset: “{str(name)[:30]}”.")
    return name


def _reasons(error: UnbuildableError) -> str:
    first = " ".join(problem.message for problem in error.problems[:_MAX_REASONS])
    more = len(error.problems) - _MAX_REASONS
    return f"{first} (And {more} more.)" if more > 0 else first


def _validate(plain: Any) -> GoogLeNetConfig:
    config = GoogLeNetConfig.model_validate_json(json.dumps(plain))
    if found := problems(config):
        raise UnbuildableError(found)
    return config


def _to_dict(config: GoogLeNetConfig) -> dict[str, Any]:
    return config.model_dump(mode="json")


def _changed_fields(version: Version) -> dict[str, Any]:
    """Return the fields that differ from the preset; for the stem and the heads only their differing fields."""
    base, config = _to_dict(version.base_config), _to_dict(version.config)
    changed = {field: value for field, value in config.items() if value != base[field]}
    for part in ("stem", "aux"):
        if part in changed:
            changed[part] = {field: value for field, value in config[part].items() if value != base[part][field]}
    if "modules" in changed:
        changed["modules"] = _pack_modules(version.base_config, version.config)
    return changed


def _restore(base: str, changed: Any) -> Version:
    plain = _to_dict(PRESETS[base])
    fields = plain | changed
    for part in ("stem", "aux"):
        fields[part] = plain[part] | fields[part]
    if "modules" in changed:
        fields["modules"] = _unpack_modules(PRESETS[base], changed["modules"])
    return Version(base, _validate(fields))


def _pack_modules(base: GoogLeNetConfig, config: GoogLeNetConfig) -> list[Any]:
    """Return each row as its name where the preset has the same row, else as the list of its cells."""
    known = set(base.modules)
    return [module.name if module in known else list(module.model_dump().values()) for module in config.modules]


def _unpack_modules(base: GoogLeNetConfig, packed: Any) -> list[dict[str, Any]]:
    fields = tuple(type(base.modules[0]).model_fields)
    return [
        base.module(row).model_dump() if isinstance(row, str) else dict(zip(fields, row, strict=True)) for row in packed
    ]


def _pack(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return urlsafe_b64encode(_checksum(text) + deflater.compress(text) + deflater.flush()).decode().rstrip("=")


def _checksum(text: bytes) -> bytes:
    return zlib.crc32(text).to_bytes(4, "big")[:_CHECKSUM_BYTES]


def _unpacker(version: str) -> Callable[[str, int], Any]:
    """Return the function that reads packed JSON of a version; it takes the text and the most bytes to inflate."""
    readers = {"1": _unpack_v1, "2": _unpack_v2}
    if version not in readers:
        raise ShareError(f"The link has version “{version[:10]}”; this app reads versions up to {TOKEN_VERSION}.")
    return readers[version]


def _unpack_v1(packed: str, max_bytes: int) -> Any:
    return json.loads(_inflate(_bytes(packed), zlib.decompressobj(), max_bytes))


def _unpack_v2(packed: str, max_bytes: int) -> Any:
    raw = _bytes(packed)
    text = _inflate(raw[_CHECKSUM_BYTES:], zlib.decompressobj(-zlib.MAX_WBITS, _DICTIONARY), max_bytes)
    if _checksum(text) != raw[:_CHECKSUM_BYTES]:
        raise ShareError("The link is damaged: some of its characters have changed.")
    return json.loads(text)


def _bytes(packed: str) -> bytes:
    return urlsafe_b64decode(packed + "=" * (-len(packed) % 4))


def _inflate(raw: bytes, inflater: _Inflater, max_bytes: int) -> bytes:
    """Decompress at most that many bytes, so that a zip bomb uses little memory."""
    data = inflater.decompress(raw, max_bytes)
    if inflater.unconsumed_tail or not inflater.eof:
        raise ShareError("The link is cut off, or is too large for a network.")
    return data
