"""Typed text to words that know their place: none vanishes, moves or merges, whatever a person pastes."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.datasets.discovery import bundled, find_dataset
from mmdemo.datasets.schema import WordRules
from mmdemo.posts.words import locate, offsets_of, split_words
from mmdemo.types import Post

ANY_TEXT = st.text(max_size=60)
#: Texts with many of the characters that the splitting cares about.
TWEETS = st.text(alphabet="aB1én#@_'’.:/-[]E\u0301\u200d\ufe0f\u200b🏀 \n", max_size=40)
TEXTS = st.one_of(
    ANY_TEXT, TWEETS, st.lists(st.sampled_from(["don't", " ", "'s", "n", "'", "t", "#", "a"])).map("".join)
)
KEEP, HASHTAGS = WordRules(), WordRules(split_hashtags=True)
SPLIT = WordRules(split_hashtags=True, split_clitics=True)
RULES = (KEEP, HASHTAGS, SPLIT, WordRules(split_clitics=True))
ANY_RULES = st.sampled_from(RULES)


@pytest.mark.parametrize(
    ("rules", "text", "words"),
    [
        (KEEP, "RT @NBA: Go #Warriors!", "RT @NBA : Go #Warriors !"),
        (HASHTAGS, "RT @NBA: Go #Warriors!", "RT @NBA : Go # Warriors !"),
        (SPLIT, "RT @NBA: Go #Warriors!", "RT @NBA : Go # Warriors !"),
        (KEEP, "see http://t.co/Ab1_x?y=#z now", "see http://t.co/Ab1_x?y=#z now"),
        (SPLIT, "see www.nba.com/a.b now", "see www.nba.com/a.b now"),
        (HASHTAGS, "Kevin's don't", "Kevin ' s don ' t"),
        (SPLIT, "Kevin's don't we’ll CAN'T", "Kevin 's do n't we ’ll CA N'T"),
        (KEEP, "@real_name, x", "@real_name , x"),
        (HASHTAGS, "a 3.5-inch, 10:30 1,000 U2", "a 3.5-inch , 10:30 1,000 U2"),
        (HASHTAGS, "wait...what", "wait ... what"),
        (HASHTAGS, "go🏀go", "go 🏀 go"),
        (HASHTAGS, "##NBA #", "# # NBA #"),
        (SPLIT, "''", "' '"),
        (KEEP, "🇳🇴🇮🇸🇳 beat", "🇳🇴 🇮🇸 🇳 beat"),
        (
            KEEP,
            "Go🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f!",
            "Go 🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f !",
        ),
        (HASHTAGS, "R&amp;D &lt;3 &#39;x&#x27; &copy; &amp", "R & D < 3 ' x ' & copy ; & amp"),
        (SPLIT, "don&#39;t &quot;go&quot;", 'do n\'t " go "'),
    ],
)
def test_words_are_split_as_the_rules_say(rules, text, words):
    assert split_words(text, rules).tokens == tuple(words.split(" "))


@pytest.mark.parametrize("rules", RULES)
def test_composed_characters_stay_in_one_word(rules):
    text = "cafe\u0301s हिन्दी 👍🏽 ❤\ufe0f 👨\u200d👩\u200d👧 1\ufe0f\u20e3"
    assert split_words(text, rules).tokens == tuple(text.split(" "))


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("text", ["", "  \n\t ", "\u200b", "\x00\u200e \ufe0f \u00a0", "\ufeff"])
def test_nothing_visible_is_no_word(rules, text):
    assert split_words(text, rules).tokens == ()


@given(TEXTS, ANY_RULES)
def test_splitting_never_fails_and_gives_no_empty_or_blank_word(text, rules):
    for word in split_words(text, rules).tokens:
        assert word and not any(c.isspace() for c in word)


def visible(text: str) -> str:
    """What must survive: all but white space, format and control characters, and variation selectors."""
    hidden = ("Cc", "Cf", "Zs", "Zl", "Zp")
    return "".join(c for c in text if unicodedata.category(c) not in hidden and not "\ufe00" <= c <= "\ufe0f")


@given(TEXTS, ANY_RULES)
def test_every_visible_character_survives_in_order(text, rules):
    assert visible("".join(split_words(text, rules).tokens)) == visible(text)


@given(TEXTS, st.sampled_from([KEEP, HASHTAGS]))
def test_splitting_its_own_words_changes_nothing_more(text, rules):
    words = split_words(text, rules).tokens
    assert split_words(" ".join(words), rules).tokens == words


@pytest.mark.parametrize("name", bundled())
def test_the_authors_own_words_are_kept(shared_data, name):
    from mmdemo.formats.reading import read_split

    record = find_dataset(name)
    if not (shared_data / record.files.valid).is_file():
        pytest.skip(f"the data of {name} are not there")
    words = [word for row in read_split(shared_data, record, "valid") for word in row.post.tokens]
    words = [word for word in words if visible(word)]
    same = sum(split_words(word, record.words).tokens == (word,) for word in words)
    assert same / len(words) >= 0.99


# ---------------------------------------------------------------- places


def less_blanks(text: str) -> str:
    return "".join(text.split())


@given(TEXTS, ANY_RULES)
def test_places_ascend_and_hold_their_words(text, rules):
    """Words do not overlap; the text at a place is the word, but for blanks and invisible characters that
    split up a clitic ("don ' t") or a composed character."""
    words = split_words(text, rules)
    end = 0
    for token, (start, stop) in zip(words.tokens, words.offsets, strict=True):
        assert end <= start < stop <= len(text)
        end = stop
        if text[start:stop] != token:
            assert rules.split_clitics and visible(text[start:stop]) == visible(token)


@given(TEXTS, st.sampled_from([KEEP, HASHTAGS]))
def test_without_clitics_the_text_at_a_place_is_the_word(text, rules):
    words = split_words(text, rules)
    assert tuple(text[start:end] for start, end in words.offsets) == words.tokens


@pytest.mark.parametrize(
    ("text", "words", "places"),
    [
        ("AT & T", ("AT", "&", "T"), [(0, 2), (3, 4), (5, 6)]),
        ("Sean O ' Tovan", ("Sean", "O", "'", "Tovan"), [(0, 4), (5, 6), (7, 8), (9, 14)]),
        ("I don ' t", ("I", "do", "n't"), [(0, 1), (2, 4), (4, 9)]),
        ("R&amp;D", ("R", "&", "D"), [(0, 1), (1, 6), (6, 7)]),
        ("can&#39;t", ("ca", "n't"), [(0, 2), (2, 9)]),
        ("#NBA  's", ("#", "NBA", "'s"), [(0, 1), (1, 4), (6, 8)]),
    ],
)
def test_words_are_found_in_the_text_again(text, words, places):
    read = split_words(text, SPLIT)
    assert (read.tokens, list(read.offsets)) == (words, places)


@given(st.lists(st.text(min_size=1, max_size=4), max_size=6))
def test_words_of_a_file_are_located_in_its_text(tokens):
    text = " ".join(tokens)
    places = locate(text, tuple(tokens))
    assert len(places) == len(tokens)
    assert all(
        place is None or text[slice(*place)] == token for place, token in zip(places, tokens, strict=True)
    )
    assert places[:1] == ((0, len(tokens[0])),) if tokens else places == ()


def test_a_word_that_is_not_in_the_text_hides_none_behind_it():
    assert locate("Ann met Bob", ("Ann", "gone", "Bob", "")) == ((0, 3), None, (8, 11), None)
    assert offsets_of(Post(text="a b", tokens=("b",), offsets=((2, 3),))) == ((2, 3),)
    assert offsets_of(Post(text="a b", tokens=("b",))) == ((2, 3),)
