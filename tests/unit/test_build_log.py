"""What a failed build shows of its log, and what no log shows."""

from aiinfra.engine import build_log

LOG = [
    "#7 [build 3/6] COPY requirements.txt .",
    "#8 [build 4/6] RUN pip install",
    "#8 5.098 Looking in indexes: https://index.example/simple",
    "#9 0.100 of another step",
    "#8 5.122 ERROR: No matching distribution found",
    '#8 ERROR: process "/bin/sh -c pip install" did not complete successfully: exit code: 1',
    "------",
    "Dockerfile:7",
    "ERROR: failed to build: failed to solve: exit code: 1",
]


def test_a_failure_is_told_in_the_last_lines_of_the_step_that_failed() -> None:
    assert build_log.failure(LOG) == [
        "Looking in indexes: https://index.example/simple",
        "ERROR: No matching distribution found",
    ]


def test_a_step_that_wrote_nothing_is_told_by_its_error() -> None:
    assert build_log.failure(["#6 [2/3] COPY x .", '#6 ERROR: "/x": not found', "------"]) == ['"/x": not found']


def test_a_failure_of_no_step_is_told_in_the_end_of_the_log() -> None:
    assert build_log.failure(["ERROR: buildx is broken"]) == ["ERROR: buildx is broken"]


def test_a_long_step_shows_its_end() -> None:
    log = [*(f"#8 {second}.0 line {second}" for second in range(99)), "#8 ERROR: exit code: 1"]
    assert build_log.failure(log)[-1] == "line 98"
    assert len(build_log.failure(log)) == 15


def test_credentials_of_every_address_are_hidden_whole_alone_and_unquoted() -> None:
    secrets = [
        b"index-url = https://reader:p%40ssword@index/simple\n",
        b"export x='http://u:a/b@c@p:1' y=http://v:w@p\n",
    ]
    hidden = build_log.credentials(secrets)
    for text in ("reader:p%40ssword@index", "p%40ssword", "reader:p@ssword", "u:a/b@c", "v:w@p"):
        assert "****" in build_log.redacted(text, hidden)
    assert build_log.redacted("1 w, a reader", hidden) == "1 w, a reader"


def test_a_secret_without_an_address_hides_nothing() -> None:
    assert build_log.credentials([b"-----BEGIN CERTIFICATE-----\n", b"cert = /x\n"]) == ()
