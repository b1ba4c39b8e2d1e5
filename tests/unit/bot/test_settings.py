"""Settings: missing or wrong ones are reported in a sentence each, and secrets stay secret."""

from pathlib import Path

import pytest

from bot.settings import Settings, SettingsRefused, load_settings
from tests.contexts import assert_golden

SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-12-hunter2",
    "SLACK_APP_TOKEN": "xapp-1-hunter2",
    "SLACK_SIGNING_SECRET": "hunter2hunter2",
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine, and no `.env` but the test's own."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def sentences() -> list[str]:
    with pytest.raises(SettingsRefused) as refused:
        load_settings()
    assert str(refused.value) == "\n".join(refused.value.sentences)
    assert refused.value.__cause__ is None
    return refused.value.sentences


# --- valid
# ----------------------------------------------------------------------------------------------------


def test_without_any_setting_the_built_in_workspace_runs() -> None:
    settings = load_settings()
    assert settings.embedded
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.database == "sqlite:///var/cadence.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 3000)
    assert settings.cadence_curators == ()


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        **SECRETS,
        PORT="8080",
        CADENCE_CURATORS="U01, U02,,",
        DATABASE_URL="postgresql://bot@db/cadence",
    )
    settings = load_settings()
    assert not settings.embedded
    assert settings.port == 8080
    assert settings.cadence_curators == ("U01", "U02")
    assert settings.database == "postgresql://bot@db/cadence"
    for name, value in SECRETS.items():
        assert getattr(settings, name.lower()).get_secret_value() == value


def test_the_env_file_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PORT=4000\nHOST='0.0.0.0'\nSOMETHING_ELSE=1\n", encoding="utf-8")
    monkeypatch.setenv("PORT", "5000")
    settings = load_settings()
    assert (settings.host, settings.port) == ("0.0.0.0", 5000)


@pytest.mark.parametrize("name", [*SECRETS, "DATABASE_URL", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"])
@pytest.mark.parametrize("nothing", ["", "  "])
def test_an_empty_value_is_no_value(name: str, nothing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, nothing)
    assert load_settings() == Settings()


@pytest.mark.parametrize("wrong", ["bob", "U1, bob", "T1:", "u01", "U1:T1"])
def test_a_curator_is_named_by_an_id(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CADENCE_CURATORS", wrong)
    assert_golden(sentences()[0], f"curator:{wrong}")


def test_workspaces_may_install_it_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        SLACK_CLIENT_ID="12.34",
        SLACK_CLIENT_SECRET="hunter2",
        SLACK_SIGNING_SECRET="hunter3",
        CADENCE_CURATORS="T1:U1",
    )
    settings = load_settings()
    assert (settings.several, settings.embedded) == (True, False)
    assert "hunter" not in repr(settings)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    assert not load_settings().several, "a token of its own comes first"


def test_what_several_workspaces_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_CLIENT_ID", "12.34")
    assert_golden(sentences()[0], "several:together")
    set_all(monkeypatch, SLACK_CLIENT_ID="hunter2", SLACK_CLIENT_SECRET="12.34")
    assert_golden(sentences()[0], "several:swapped")  # the secret would be in an address
    assert "hunter2" not in sentences()[0]
    set_all(monkeypatch, SLACK_CLIENT_ID="12.34", SLACK_CLIENT_SECRET="hunter2")
    monkeypatch.setenv("CADENCE_CURATORS", "T1:U1,U2")
    assert_golden("\n".join(sentences()), "several:curator")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://127.0.0.1:3000/api", "http://127.0.0.1:3000/api/"),
        ("https://chat.example.com/api/", "https://chat.example.com/api/"),
    ],
)
def test_an_api_address_ends_with_a_slash(given: str, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_API_URL", given)
    assert load_settings().slack_api_url == kept


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgres://u@h/d", "postgresql+psycopg://u@h/d"])
def test_databases_that_are_known(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert load_settings().database == url


def test_elsewhere_tokens_may_look_different(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        SLACK_BOT_TOKEN="any",
        SLACK_APP_TOKEN="any",
        SLACK_API_URL="https://chat.example.com/api",
    )
    assert not load_settings().embedded


def test_settings_do_not_change() -> None:
    settings, name = load_settings(), "port"
    with pytest.raises(ValueError, match="frozen"):
        setattr(settings, name, 1)


# --- invalid
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"SLACK_BOT_TOKEN": "xapp-1-hunter2"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xoxb-hunter2"}, "SLACK_APP_TOKEN"),
        ({"SLACK_APP_TOKEN": "xapp-hunter2"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_SIGNING_SECRET": "hunter2"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_API_URL": "slack.com/api"}, "SLACK_API_URL"),
        ({"SLACK_API_URL": "ftp://hunter2.example"}, "SLACK_API_URL"),
        ({"DATABASE_URL": "mysql://u:hunter2@h/d"}, "DATABASE_URL"),
        ({"PORT": "hunter2"}, "PORT"),
        ({"PORT": "65536"}, "PORT"),
        ({"PORT": "-1"}, "PORT"),
        ({"CADENCE_LOG": "hunter2"}, "CADENCE_LOG"),
        ({"CADENCE_LOG_FORMAT": "hunter2"}, "CADENCE_LOG_FORMAT"),
        ({"CADENCE_THREADS": "1"}, "CADENCE_THREADS"),
        ({"CADENCE_THREADS": "201"}, "CADENCE_THREADS"),
    ],
)
def test_each_mistake_is_one_sentence(
    values: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, **values)
    (sentence,) = sentences()
    assert sentence.startswith(f"{name} ")
    assert_golden(sentence, f"mistake:{' '.join(f'{name}={value}' for name, value in values.items())}")
    assert sentence.endswith(".")
    assert not sentence.endswith("..")
    assert "hunter2" not in sentence, "what was typed may be a secret in the wrong place"


def test_every_mistake_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, PORT="x", CADENCE_LOG="loud", DATABASE_URL="mysql://h/d")
    assert sorted(sentence.split()[0] for sentence in sentences()) == ["CADENCE_LOG", "DATABASE_URL", "PORT"]


def test_a_mistake_in_the_env_file_is_said_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CADENCE_THREADS=many\n", encoding="utf-8")
    (sentence,) = sentences()
    assert_golden(sentence, "env-file")


# --- secrets --------------------------------------------------------------------------------------------------


def test_tokens_never_show(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, **SECRETS)
    settings = load_settings()
    shown = f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert "hunter2" not in shown
    assert "**********" in shown


def test_the_password_of_the_database_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot:hunter2@db/cadence")
    settings = load_settings()
    assert "hunter2" in settings.database
    assert "hunter2" not in f"{settings} {settings!r}"


@pytest.mark.parametrize("which", sorted(SECRETS))
@pytest.mark.parametrize("wrong", ["xoxb-7\n-hunter2", "xoxb-7 hunter2", "xoxb-7-hunter2…"])
def test_a_secret_that_was_copied_badly(monkeypatch: pytest.MonkeyPatch, which: str, wrong: str) -> None:
    set_all(monkeypatch, **(SECRETS | {which: wrong}))
    (said,) = sentences()
    assert said == f"{which} contains a space or another character that doesn't belong in it; copy it again."


def test_space_around_a_secret_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, **{name: f" {secret}\n" for name, secret in SECRETS.items()})
    settings = load_settings()
    assert settings.slack_signing_secret is not None
    assert settings.slack_signing_secret.get_secret_value() == SECRETS["SLACK_SIGNING_SECRET"]


def test_an_env_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"HOST=\xff\xfe")
    assert sentences() == ["The .env file is not UTF-8 text. Save it as UTF-8."]
