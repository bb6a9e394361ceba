# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Text from hosts made fit to be shown: one line, of bounded length, with nothing in it that is not seen."""

from __future__ import annotations

import hashlib
import re

# Characters a finding's fields may have in a report; what is longer is cut.
LONGEST_NAME = 300
LONGEST_SENTENCE = 2000
LONGEST_EVIDENCE = 1000
MOST_EVIDENCE = 20

# Controls (they end lines and drive terminals), characters without a shape (invisible, or turning the direction of the
# text so that it reads as something else), separators that some programs take for ends of lines, halves of surrogate
# pairs (no encoding has them) and non-characters (XML forbids them). The list is fixed, not taken from the running
# Python's Unicode tables: one finding reads alike whoever reports it.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str, longest: int) -> str:
    """Return the text on one line of at most `longest` (80 or more) characters, what cannot be seen written as escapes.

    What is cut says so, with the length of the whole and a digest of it, so that two long values that begin alike stay
    two. A text that is printable already is returned as it is, so doing it twice changes nothing.
    """
    if len(text) <= longest and text.isascii() and text.isprintable():
        return text  # nearly all of them
    shown = _UNSEEN.sub(_escape, text[: longest + 1])
    if len(shown) <= longest and len(text) <= longest:
        return shown
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    marker = f"… [cut: {len(text)} characters, sha256 {digest}]"
    return shown[: longest - len(marker)] + marker


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
