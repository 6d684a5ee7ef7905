""".env: round trips, faults with their line, weak keys."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiinfra import keys
from aiinfra.commands.init import missing_keys, write_keys
from aiinfra.errors import AiinfraError, Code
from aiinfra.settings import ApiKey
from aiinfra.target import Target, target_of
from tests.conftest import STRONG_KEYS

TEXT = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=60)


def ensure_keys(one: Target) -> tuple[str, ...]:
    generated = missing_keys(one)
    write_keys(one, generated)
    return tuple(generated)


def refusal(text: str) -> AiinfraError:
    with pytest.raises(AiinfraError) as caught:
        keys.parse(text, ".env")
    assert caught.value.code is Code.KEYS_INVALID
    return caught.value


@given(TEXT)
def test_any_value_in_single_quotes_comes_back_as_it_was(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    assert keys.parse(f"A='{quoted}'\n", ".env") == {"A": value}


def test_a_dollar_is_a_dollar() -> None:
    assert keys.parse("A=\"pa$word\"\nB=$HOME\nC='$x'", ".env") == {"A": "pa$word", "B": "$HOME", "C": "$x"}


def test_comments_blank_lines_and_export_are_understood() -> None:
    assert keys.parse("\n# hello\nexport A=1\n\nB=2 # two\n", ".env") == {"A": "1", "B": "2"}


@pytest.mark.parametrize(
    ("text", "line"),
    [("A=1\nthis is nonsense\n", 2), ("A=1\n\n\nB='open\n", 4), ("NAME\n", 1), ("A=1\n2B=3\n", 2)],
)
def test_a_broken_line_is_named_by_its_number(text: str, line: int) -> None:
    error = refusal(text)
    assert error.details["line"] == line
    assert error.message.startswith(f".env:{line}: ")


def test_a_name_that_stands_twice_names_both_lines() -> None:
    error = refusal("A=1\nB=2\nA=3\n")
    assert (error.details["line"], "the first is on line 1" in error.hint) == (3, True)


def test_a_refusal_never_shows_a_value() -> None:
    error = refusal("A=1\nA=sk-very-secret-value\n")
    assert "very-secret" not in f"{error.message}{error.hint}{error.details}"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("LITELLM_MASTER_KEY", "sk-1234", "well-known default"),
        ("LITELLM_MASTER_KEY", "sk-...", "placeholder"),
        ("LITELLM_MASTER_KEY", "sk-xxxxxxxxxxxxxxxxxxxx", "placeholder"),
        ("LITELLM_MASTER_KEY", "0123456789abcdefghijkl", "must begin with 'sk-'"),
        ("LITELLM_MASTER_KEY", "sk-short", "is weak: 8 characters"),
        ("MPC_API_KEY", "changeme-changeme-changeme", "placeholder"),
        ("MPC_API_KEY", "aaaaaaaaaaaaaaaaaaaaaaaaa", "placeholder"),
        ("MPC_API_KEY", "has a space in the middle", "HTTP header"),
        ("REDIS_PASSWORD", "hunter2", "is weak"),
        ("REDIS_PASSWORD", "abababababababababab", "easy to guess"),
        ("MPC_API_KEY", "12345678901234567890", "easy to guess"),
        ("REDIS_PASSWORD", "", "is not set"),
    ],
)
def test_a_weak_key_is_refused_by_name_and_reason_without_its_value(name: str, value: str, why: str) -> None:
    with pytest.raises(AiinfraError) as caught:
        keys.check({**STRONG_KEYS, name: value}, ".env")
    assert caught.value.message.startswith(f".env: {name} ")
    assert why in caught.value.message
    assert not value or value not in caught.value.message.replace("sk-'", "")


def test_generated_keys_are_strong_private_and_never_the_same(tmp_path: Path) -> None:
    seen = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        one = target_of(tmp_path / name, None)
        assert ensure_keys(one) == tuple(key.name for key in keys.OWN_KEYS)
        values = keys.load(one.directory, one.name)
        keys.check(values, ".env")
        assert (one.directory / ".env").stat().st_mode & 0o777 == 0o600
        seen |= set(values.values())
    assert len(seen) == 6


def test_missing_keys_are_added_and_every_line_of_the_user_is_kept(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# mine\nOPENAI_API_KEY=sk-proj-abc\nMPC_API_KEY=\nREDIS_PASSWORD=0123456789abcdefgh", encoding="utf-8"
    )
    assert ensure_keys(target_of(tmp_path, None)) == ("LITELLM_MASTER_KEY", "MPC_API_KEY")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# mine\nOPENAI_API_KEY=sk-proj-abc\nREDIS_PASSWORD=0123456789abcdefgh\n")
    keys.check(keys.load(tmp_path, "ai-infra"), ".env")
    assert ensure_keys(target_of(tmp_path, None)) == ()


@pytest.mark.parametrize("line", ["MPC_API_KEY = ", "export   MPC_API_KEY=", "'MPC_API_KEY'="])
def test_an_empty_key_is_replaced_however_it_is_written(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"A=1\n{line}\nB=2\n")
    ensure_keys(target_of(tmp_path, None))
    values = keys.load(tmp_path, "ai-infra")
    assert (values["A"], values["B"], len(values["MPC_API_KEY"]) > 30) == ("1", "2", True)


def test_a_link_to_a_key_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("A=1\n")
    (tmp_path / ".env").symlink_to("real")
    ensure_keys(target_of(tmp_path, None))
    assert (tmp_path / ".env").is_symlink()
    assert "MPC_API_KEY=" in (tmp_path / "real").read_text()


def test_another_stack_has_keys_of_its_own_and_shares_provider_keys(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "OPENAI_API_KEY=sk-proj-abc\nMPC_API_KEY=not-for-the-other-stack\n", encoding="utf-8"
    )
    ensure_keys(target_of(tmp_path, "other"))
    values = keys.load(tmp_path, "other")
    assert values["OPENAI_API_KEY"] == "sk-proj-abc"
    assert values["MPC_API_KEY"] != "not-for-the-other-stack"


KEY_OF_AN_EDITOR = "services: {mpc-api: {keys: [{name: editor, variable: EDITOR_KEY}]}}"


def test_the_keys_of_further_callers_are_generated_too(tmp_path: Path) -> None:
    (tmp_path / "aiinfra.yaml").write_text(KEY_OF_AN_EDITOR)
    one = target_of(tmp_path, None)
    assert "EDITOR_KEY" in ensure_keys(one)
    values = keys.load(tmp_path, one.name)
    assert len(values["EDITOR_KEY"]) > 30
    assert ensure_keys(one) == ()


def test_a_caller_that_is_added_later_gets_a_key_in_the_file_that_is_there(tmp_path: Path) -> None:
    ensure_keys(target_of(tmp_path, None))
    (tmp_path / "aiinfra.yaml").write_text(KEY_OF_AN_EDITOR)
    assert ensure_keys(target_of(tmp_path, None)) == ("EDITOR_KEY",)


def test_weak_and_shared_keys_of_further_callers_are_refused() -> None:
    callers = keys.of_callers([ApiKey(name="a", variable="A_KEY"), ApiKey(name="b", variable="B_KEY")])
    values = {**STRONG_KEYS, "A_KEY": "short", "B_KEY": STRONG_KEYS["MPC_API_KEY"]}
    with pytest.raises(AiinfraError) as caught:
        keys.check(values, ".env", callers)
    assert [fault.split(" is ")[0] for fault in caught.value.details["faults"]] == [".env: A_KEY", ".env: B_KEY"]
    assert "the same as MPC_API_KEY" in caught.value.details["faults"][1]


def test_the_previous_key_may_be_there_and_must_be_strong_then() -> None:
    keys.check({**STRONG_KEYS, "MPC_API_KEY_PREVIOUS": ""}, ".env")
    keys.check({**STRONG_KEYS, "MPC_API_KEY_PREVIOUS": "previous-0123456789abcdefgh"}, ".env")
    with pytest.raises(AiinfraError, match="MPC_API_KEY_PREVIOUS is weak"):
        keys.check({**STRONG_KEYS, "MPC_API_KEY_PREVIOUS": "abcdefgh12"}, ".env")


def test_another_stack_does_not_accept_the_previous_key_of_the_default_one(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MPC_API_KEY_PREVIOUS=previous-0123456789abcdefgh\n", encoding="utf-8")
    assert "MPC_API_KEY_PREVIOUS" not in keys.load(tmp_path, "other")
