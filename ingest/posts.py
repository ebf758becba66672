"""The posts of a Stack Exchange site: their texts, and the tags that people gave them.

`Posts.xml`, gzipped or not, as in the site's published dump: a `row` for each post, with its HTML `Body`; questions also have a
`Title` and `Tags`, answers the id of their question (`ParentId`), whose tags are theirs.
"""

import gzip
import html
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError, iterparse

from laurel.ingest.errors import DataError

QUESTION, ANSWER = "1", "2"
_CODE = re.compile(r"<pre.*?</pre>|<code>.*?</code>", re.DOTALL)
_MARKUP = re.compile(r"<[^>]+>")
_TAG = re.compile(r"<([^<>]+)>|([^<>|]+)")


@dataclass(frozen=True)
class Post:
    """A question or an answer: its text without markup and code, and its tags, an answer's being those of its question."""

    is_question: bool
    text: str
    tags: tuple[str, ...]


def read(path: Path) -> list[Post]:
    """All questions and answers in file order. Raises DataError if the file can't be read, or has no post with tags."""
    rows = _rows(path)
    tags = {
        row["Id"]: _tags(row["Tags"])
        for row in rows
        if row.get("PostTypeId") == QUESTION and {"Id", "Tags"} <= row.keys()
    }
    if not tags:
        raise DataError(f"{path} has no question with tags: it must be the Posts.xml of a Stack Exchange site")
    posts = []
    for row in rows:
        is_question = row.get("PostTypeId") == QUESTION
        question = row.get("Id" if is_question else "ParentId", "")
        if row.get("PostTypeId") in (QUESTION, ANSWER) and question in tags:
            said = f"{row.get('Title', '')}\n\n{_MARKUP.sub(' ', _CODE.sub(' ', row.get('Body', '')))}"
            posts.append(Post(is_question, html.unescape(said), tags[question]))
    return posts


def _rows(path: Path) -> list[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    found = []
    try:
        with opened(path, "rb") as file:
            for _, element in iterparse(file):  # noqa: S314 (expat refuses entities that grow)
                if element.tag == "row":
                    found.append(dict(element.attrib))
                element.clear()
    except (OSError, EOFError, zlib.error, ParseError) as error:
        raise DataError(f"{path}: can't be read: {error}") from None
    return found


def _tags(text: str) -> tuple[str, ...]:
    """The tags of `<one><other>`, and of `|one|other|`, as newer dumps have them."""
    return tuple(one or other for one, other in _TAG.findall(text))
