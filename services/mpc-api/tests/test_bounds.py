"""Whatever a model writes, what comes out is inside the platform's limits and cut where a reader would cut."""

import unicodedata
from urllib.parse import urlsplit

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from mpc_api.answers import apportion, metadata
from mpc_api.bounding import posted
from mpc_api.chapters import SHORTEST_SECONDS, by_the_rules, clock
from mpc_api.cutting import cut
from mpc_api.drafts import MetadataDraft
from mpc_api.inputs import MetadataRequest
from mpc_api.platforms import PLATFORMS, Name, tags_size, utf8, utf16, weighted
from mpc_api.wire import Usage

USAGE = Usage(model="m", prompt_tokens=0, completion_tokens=0, milliseconds=0)

# Words, emoji of several code points, marks that join, scripts with and without spaces, links, angle brackets.
PIECES = [
    *("coffee", "don't", "well-known", "a", "I", "naïve", "Übergröße", "e\u0301te\u0301", "привет", "العربية"),
    *("冷たい", "コーヒー", "咖啡", "สวัสดี", "안녕하세요", "नमस्ते"),
    *("👨\u200d👩\u200d👧", "🏳️\u200d🌈", "👍🏽", "🇩🇪", "e\u0301\u0302\u0303"),
    *("https://example.org/a/long/path?query=1", "example.com", "<b>", "1,000", "#tag", "…", "—", "x" * 150),
    *("\n", "\n\n", "  ", ", ", ". "),
]
text = st.lists(st.sampled_from(PIECES), max_size=60).flatmap(
    lambda pieces: st.sampled_from([" ", "", " \n"]).map(lambda between: between.join(pieces))
) | st.text(max_size=300)
sizes = st.sampled_from([len, utf16, utf8, weighted])


def graphemes(value: str) -> list[str]:
    return regex.findall(r"\X", value)


@settings(deadline=None, max_examples=400)
@given(text, st.integers(0, 200), sizes)
def test_a_cut_text_fits_and_is_a_whole_beginning(value: str, most: int, size: object) -> None:
    assert callable(size)
    done = cut(value, most, size)
    assert size(done) <= max(most, 0)
    if size(value) <= most:
        assert done == value
        return
    assert done == "" or done.endswith("…")
    beginning = done.removesuffix("…")
    whole = graphemes(value)
    assert value.startswith(beginning)
    assert beginning in {"".join(whole[:count]) for count in range(len(whole) + 1)}


WORD = regex.compile(r"[\p{L}\p{N}'-]+")


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(["coffee", "don't", "well-known", "naïve", "привет", "안녕하세요", "a"]), min_size=1))
def test_a_cut_never_ends_inside_a_word(words: list[str]) -> None:
    value = " ".join(words)
    for most in range(12, len(value)):
        kept = WORD.findall(cut(value, most))
        assert kept == words[: len(kept)]


@pytest.mark.parametrize(
    ("value", "most", "done"),
    [
        ("Hello wonderful world", 20, "Hello wonderful…"),
        ("Hello wonderful, world", 20, "Hello wonderful…"),
        ("Hello wonderful world", 21, "Hello wonderful world"),
        ("コーヒーを冷たい水で", 8, "コーヒーを冷た…"),
        ("コーヒーです", 3, "コー…"),  # a word that alone is too long
        ("Pneumonoultramicroscopic", 10, "Pneumonou…"),
        ("สวัสดีครับ", 5, "สวัส…"),
        ("👨\u200d👩\u200d👧 family", 6, "👨\u200d👩\u200d👧…"),
        ("👨\u200d👩\u200d👧 family", 5, ""),
        ("word", 0, ""),
    ],
)
def test_where_it_is_cut(value: str, most: int, done: str) -> None:
    assert cut(value, most) == done


line = text.map(lambda value: " ".join(value.split())[:300].strip()).filter(bool)
chapters = st.lists(st.fixed_dictionaries({"title": line, "startSeconds": st.floats(0, 100_000)}), max_size=30)
drafts = st.builds(
    lambda **fields: fields,
    title=line,
    description=text.map(lambda value: (value.strip() + " ") * 3).map(lambda value: value[:5000]).filter(str.strip),
    tags=st.lists(line, max_size=60),
    hashtags=st.lists(line, max_size=60),
    category=line,
    chapters=chapters,
)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(PLATFORMS)), drafts, st.integers(1, 2_000))
def test_metadata_is_inside_the_platforms_limits(name: Name, fields: dict[str, object], words: int) -> None:
    platform = PLATFORMS[name]
    try:
        drafted = MetadataDraft.model_validate(fields)
    except ValueError:  # hypothesis' own text may be nothing but control characters
        return
    wanted = MetadataRequest(script="word " * words, platform=name)
    found = metadata(wanted, drafted, USAGE)
    assert platform.title.size(found.title) <= platform.title.most
    marks = [(one.start_seconds, one.title) for one in found.chapters]
    whole = posted(platform, found.description, found.hashtags, marks)
    assert platform.description.size(whole) <= platform.description.most
    assert len(found.hashtags) <= platform.hashtags
    assert all(regex.fullmatch(r"#[\p{L}\p{M}\p{N}_]+", one) for one in found.hashtags)
    assert len(set(found.tags)) == len(found.tags)
    if platform.tags:
        assert tags_size(found.tags, platform.tags.size) <= platform.tags.most
    for refused in platform.refused:
        assert refused not in "".join([found.title, found.description, *found.tags])
    for value in (found.title, found.description):
        assert unicodedata.is_normalized("NFC", value)
        value.encode()  # no half of a surrogate pair


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 100_000), st.just("t")), max_size=40), st.integers(1, 4_000))
def test_chapters_keep_youtubes_rules_or_there_are_none(marks: list[tuple[float, str]], length: int) -> None:
    found = by_the_rules(marks, length)
    if found:
        begins = [second for second, _ in found]
        assert len(found) >= 3
        assert begins[0] == 0
        ends = [*begins[1:], length]
        assert all(end - begin >= SHORTEST_SECONDS for begin, end in zip(begins, ends, strict=True))


def test_chapters_counted_in_another_pace_are_moved() -> None:
    assert by_the_rules([(0, "a"), (600, "b"), (1200, "c")], 60) == [(0, "a"), (25, "b"), (50, "c")]
    assert by_the_rules([(5, "a"), (20, "b"), (40, "c")], 60) == [(0, "a"), (20, "b"), (40, "c")]
    assert by_the_rules([(0, "a"), (10, "b")], 60) == []
    assert [clock(second) for second in (0, 75, 3723)] == ["0:00", "1:15", "1:02:03"]


@given(st.integers(0, 4_000), st.lists(st.floats(0, 36_000), min_size=1, max_size=100))
def test_seconds_shared_out_add_up(total: int, weights: list[float]) -> None:
    shares = apportion(total, weights)
    assert sum(shares) == total
    assert len(shares) == len(weights)
    assert min(shares) >= (1 if total >= len(weights) else 0)


def test_every_limit_has_its_source() -> None:
    for platform in PLATFORMS.values():
        limits = [platform.title, platform.description, *([platform.tags] if platform.tags else [])]
        for source in [limit.source for limit in limits] + [platform.hashtags_source]:
            assert urlsplit(source).scheme == "https" or source.startswith("none: ")


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("hello", 5),
        ("冷たい", 6),
        ("👍", 2),
        ("see https://example.org/a/very/long/path/that/never/ends", 4 + 56 - 4),
        ("see example.com", 27),
    ],
)
def test_the_weight_of_a_text_on_x(value: str, size: int) -> None:
    assert weighted(value) >= 0
    if "http" not in value:
        assert weighted(value) == size


def test_tags_are_counted_with_commas_and_quotation_marks() -> None:
    assert tags_size(["a", "b c"], len) == 1 + 3 + 2 + 1
