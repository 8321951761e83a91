"""A network as text: a JSON document, and a short token for the address bar.

The token is ``1.paper`` for a preset and ``1.paper.<changes>`` for an edited one: the parts of the config that
differ from the preset, as compact JSON, compressed, in URL-safe base64. The leading 1 is the version of this format.
"""

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from pydantic import ValidationError

from explorer.analysis import problems
from explorer.config import GoogLeNetConfig, UnbuildableError
from explorer.history import Version
from explorer.presets import PRESETS

VERSION = 1
FORMAT = "inception-explorer network"
MAX_TOKEN = 4_000
MAX_DOCUMENT = 100_000
_REASONS = 3  # problems that are told of a network that cannot be built; a hostile one has thousands


class ShareError(ValueError):
    """A link or file that describes no network; the message says what is wrong with it."""


def to_token(version: Version) -> str:
    """Return the short text that stands in a link. Equal versions have equal tokens."""
    base = _plain(version.base_config)
    config = _plain(version.config)
    changed = {field: value for field, value in config.items() if value != base[field]}
    if "modules" in changed:
        changed["modules"] = _packed_modules(version.base_config, version.config)
    if not changed:
        return f"{VERSION}.{version.base}"
    text = json.dumps(changed, separators=(",", ":"), sort_keys=True).encode()
    packed = urlsafe_b64encode(zlib.compress(text, 9)).decode().rstrip("=")
    return f"{VERSION}.{version.base}.{packed}"


def from_token(token: str) -> Version:
    """Read a link's token back. Raises ShareError for anything that describes no buildable network."""
    version, _, rest = token.partition(".")
    base, _, packed = rest.partition(".")
    if len(token) > MAX_TOKEN or not rest:
        raise ShareError("The link is broken: it describes no network.")
    if version != str(VERSION):
        raise ShareError(f"The link is of version “{version[:10]}”; this app reads version {VERSION}.")
    if base not in PRESETS:
        raise ShareError(f"The link starts from a network that is not known here: “{base[:30]}”.")
    if not packed:
        return Version(base, PRESETS[base])
    try:
        changed = json.loads(_inflated(packed))
        fields = _plain(PRESETS[base]) | changed
        if "modules" in changed:
            fields["modules"] = _unpacked_modules(PRESETS[base], changed["modules"])
        return Version(base, _checked(json.dumps(fields)))
    except UnbuildableError as error:
        raise ShareError(f"The link describes a network that cannot be built. {_reasons(error)}") from error
    except ShareError:
        raise
    except (ValueError, TypeError, KeyError, zlib.error, RecursionError) as error:
        raise ShareError("The link is broken or cut off: it describes no network.") from error


def to_json(config: GoogLeNetConfig) -> str:
    """Return the config as a JSON document of this format and version."""
    document = {"format": FORMAT, "version": VERSION, "config": _plain(config)}
    return json.dumps(document, indent=2, ensure_ascii=False)


def from_json(text: str | bytes) -> GoogLeNetConfig:
    """Read a document made by :func:`to_json`. Raises ShareError with the reason for anything else."""
    if len(text) > MAX_DOCUMENT:
        raise ShareError(f"The file is larger than any network: at most {MAX_DOCUMENT:,} bytes.")
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ShareError("The file is JSON, but not a network of this app.")
        if document.get("version") != VERSION:
            raise ShareError(f"The file is of another version; this app reads version {VERSION}.")
        return _checked(json.dumps(document.get("config")))
    except UnbuildableError as error:
        raise ShareError(f"The file describes a network that cannot be built. {_reasons(error)}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))[:60] or "config"
        raise ShareError(f"The file describes no network: {where}: {first['msg']}.") from error
    except ShareError:
        raise
    except (ValueError, RecursionError) as error:
        raise ShareError("The file is no JSON text, or is cut off.") from error


def _reasons(error: UnbuildableError) -> str:
    told = " ".join(problem.message for problem in error.problems[:_REASONS])
    more = len(error.problems) - _REASONS
    return f"{told} (And {more} more.)" if more > 0 else told


def _checked(text: str) -> GoogLeNetConfig:
    config = GoogLeNetConfig.model_validate_json(text)
    if found := problems(config):
        raise UnbuildableError(found)
    return config


def _plain(config: GoogLeNetConfig) -> dict[str, Any]:
    return config.model_dump(mode="json")


def _packed_modules(base: GoogLeNetConfig, config: GoogLeNetConfig) -> list[Any]:
    """Each row as its name alone where the preset has the same row, else as the list of its cells."""
    known = set(base.modules)
    return [module.name if module in known else list(module.model_dump().values()) for module in config.modules]


def _unpacked_modules(base: GoogLeNetConfig, packed: Any) -> list[dict[str, Any]]:
    fields = tuple(type(base.modules[0]).model_fields)
    return [
        base.module(row).model_dump() if isinstance(row, str) else dict(zip(fields, row, strict=True)) for row in packed
    ]


def _inflated(packed: str) -> bytes:
    """Decompress at most MAX_DOCUMENT bytes, so that a small bomb stays small."""
    raw = urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    inflater = zlib.decompressobj()
    data = inflater.decompress(raw, MAX_DOCUMENT)
    if inflater.unconsumed_tail or not inflater.eof:
        raise ShareError("The link is broken: it is larger than any network.")
    return data
