"""What names a class and the people in it: the code, random tokens of which only a hash is stored, nicknames."""

import re
import secrets
import unicodedata
from hashlib import sha256
from hmac import compare_digest

from explorer.training.names import clean_name

CODE_LENGTH = 6
MAX_NICKNAME = 24  # characters
_ALPHABET = "ABCDEFGHJKMNPQRTUVWXYZ2346789"  # without characters that are read as another one: 0 O, 1 I L, 5 S
_CODE = re.compile(f"[{_ALPHABET}]{{{CODE_LENGTH}}}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def new_code() -> str:
    """Return a random code of a class. It is short, to be typed: it admits to the class and to nothing else."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def parse_code(text: str) -> str:
    """Return the code in what a student typed, whatever its case and spacing; empty if it cannot be one."""
    code = re.sub(r"[\s-]", "", text[:40]).upper()
    return code if _CODE.fullmatch(code) else ""


def new_token() -> str:
    """Return a random token of 256 bits, as URL-safe text."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is stored of a token. Plain SHA-256 is enough: a random token cannot be found by trying."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def matches_hash(token: str, stored_hash: str) -> bool:
    """Whether a token has this hash, compared in a time that does not depend on where they differ."""
    is_same = compare_digest(token_hash(token), stored_hash)
    return is_token(token) and is_same


def is_token(text: str) -> bool:
    """Whether a text can be one of our tokens."""
    return _TOKEN.fullmatch(text) is not None


def parse_nickname(text: str) -> str:
    """Return a nickname on one line, in Unicode's composed form; empty if nothing of it can be shown."""
    name = clean_name(unicodedata.normalize("NFC", text[: 4 * MAX_NICKNAME]))
    return " ".join(name.split())[:MAX_NICKNAME].strip()  # what was left out may have stood between two spaces
