import json

import pytest
from pydantic_core import PydanticCustomError

from mpc_api.languages import canonical, is_written_in
from tests.service import Service
from tests.upstream import Reply, Upstream, draft

ENGLISH = (
    "Your coffee is too hot for the summer. Use cold water and wait for a night, then you can have it with ice, "
    "and the best of it is that you do not need any machine for this."
)
GERMAN = (
    "Dein Kaffee ist zu heiß für den Sommer. Nimm kaltes Wasser und warte eine Nacht, dann kannst du ihn mit Eis "
    "trinken, und das Beste ist, dass du dafür nicht einmal eine Maschine brauchst."
)
SPANISH = (
    "Tu café está demasiado caliente para el verano. Usa agua fría y espera una noche, luego lo puedes tomar con "
    "hielo, y lo mejor de todo es que no necesitas una máquina para hacer esto en casa."
)
RUSSIAN = "Ваш кофе слишком горячий для лета. Возьмите холодную воду и подождите одну ночь."
JAPANESE = "夏にはコーヒーが熱すぎます。冷たい水を使って一晩待ってください。"
CHINESE = "夏天喝热咖啡太热了。用冷水泡一夜。然后加冰就可以喝。不需要任何机器。"
ARABIC = "قهوتك ساخنة جدا في الصيف. استخدم الماء البارد وانتظر ليلة واحدة."


@pytest.mark.parametrize(
    ("tag", "made"),
    [
        ("en", "en"),
        ("pt-br", "pt-BR"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("iw", "he"),
        ("sr-latn", "sr-Latn"),
        ("gsw", "gsw"),
    ],
)
def test_tags_become_canonical(tag: str, made: str) -> None:
    assert canonical(tag) == made


@pytest.mark.parametrize("tag", ["xx", "zzz", "und", "mul", "zxx", "en-ZZZZZ", "en-XY-XY", "x-private", "", "e", "en-"])
def test_what_the_registry_does_not_know_is_refused(tag: str) -> None:
    with pytest.raises(PydanticCustomError):
        canonical(tag)


@pytest.mark.parametrize(
    ("tag", "text", "told"),
    [
        ("en", ENGLISH, True),
        ("en-GB", ENGLISH, True),
        ("de", GERMAN, True),
        ("es-MX", SPANISH, True),
        ("de", ENGLISH, False),
        ("es", GERMAN, False),
        ("ru", RUSSIAN, True),
        ("uk", RUSSIAN, True),  # one script, not told apart
        ("en", RUSSIAN, False),
        ("ru", ENGLISH, False),
        ("ja", JAPANESE, True),
        ("zh", CHINESE, True),
        ("zh-TW", CHINESE, True),
        ("ja", CHINESE, False),
        ("zh", JAPANESE, False),
        ("ar", ARABIC, True),
        ("he", ARABIC, False),
        ("sr", RUSSIAN, None),  # written in two scripts
        ("sw", ENGLISH, None),  # no list of its words
        ("en", "Too short to say", None),
        ("en", "", None),
    ],
)
def test_the_language_of_a_text(tag: str, text: str, *, told: bool | None) -> None:
    assert is_written_in(tag, text) is told


def script(narration: str) -> Reply:
    section = {"heading": "x", "narration": narration, "visualNotes": "", "seconds": 20}
    return Reply(text=json.dumps(draft("script", {}) | {"sections": [section]}))


def test_a_script_in_the_wrong_language_is_asked_for_again(service: Service, upstream: Upstream) -> None:
    upstream.replies.extend([script(ENGLISH), script(GERMAN)])
    found = service.post("/generate/script", {"topic": "x", "language": "DE", "duration": 15}).json()["data"]
    assert found["language"] == "de"
    assert found["sections"][0]["narration"] == GERMAN
    assert found["checks"] == {"languageOk": True, "durationOk": True}
    assert "not written in `language`" in upstream.seen[1].body["messages"][3]["content"]


def test_what_stays_wrong_is_said_in_the_answer(service: Service, upstream: Upstream) -> None:
    upstream.replies.extend([script(ENGLISH)] * 2)
    found = service.post("/generate/script", {"topic": "x", "language": "de", "duration": 600}).json()["data"]
    assert found["checks"] == {"languageOk": False, "durationOk": False}
    assert len(upstream.seen) == 2
    assert "seconds to say" in upstream.seen[1].body["messages"][3]["content"]


def test_the_better_of_two_drafts_is_kept_and_a_failing_repair_costs_nothing(
    service: Service, upstream: Upstream
) -> None:
    for second in (Reply(text="nonsense"), Reply(status=500, body=b"{}"), script("Hm.")):
        upstream.replies.extend([script(ENGLISH), second])
        answer = service.post("/generate/script", {"topic": "x", "duration": 60})
        assert answer.status_code == 200
        assert answer.json()["data"]["checks"]["durationOk"] is False
    assert answer.json()["data"]["sections"][0]["narration"] in {ENGLISH, "Hm."}


def test_metadata_is_checked_too(service: Service, upstream: Upstream) -> None:
    written = draft("metadata", {})
    upstream.replies.extend([Reply(text=json.dumps(written | {"description": ENGLISH}))] * 2)
    found = service.post("/generate/metadata", {"topic": "x", "language": "de"}).json()["data"]
    assert found["checks"] == {"languageOk": False, "durationOk": None}
