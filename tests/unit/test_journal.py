"""What a killed command leaves for the next one to read."""

from pathlib import Path

import pytest

from aiinfra.journal import Entry, Journal


@pytest.mark.parametrize("entry", [Entry("litellm", "drain", ("a", "b"), "c", "a"), Entry("", "ending")], ids=str)
def test_what_was_noted_is_read_back_and_gone_when_cleared(tmp_path: Path, entry: Entry) -> None:
    journal = Journal(tmp_path / "journal.json")
    assert journal.read() is None
    journal.write(entry)
    assert journal.read() == entry
    journal.clear()
    journal.clear()
    assert journal.read() is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"service": "x"}', '{"known": 7}', "null", "\x00"])
def test_a_damaged_journal_is_none_and_stops_no_command(tmp_path: Path, text: str) -> None:
    (tmp_path / "journal.json").write_text(text)
    assert Journal(tmp_path / "journal.json").read() is None
