"""Reading the settings: one file, `deploy.toml` beside the fabfile, the same for `fab` and `inv`.

Absent, it is the sample app on the local cloud; every key that is left out keeps its default. All mistakes are reported
together, those of every environment, each with the path of its key.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from tasks import environments
from tasks.errors import SettingsError
from tasks.settings import LOCAL, PACKAGE_ROOT, Section, Settings, SourceSettings

FILE_NAME = "deploy.toml"
SAMPLE_APP: Path = SourceSettings().path
Tried = Settings | tuple[str, ...]
"""What came of it: settings, or the mistakes in them."""
MAIN = Settings.model_fields[environments.NAME].default

# What differs between the local cloud and others is a default there and a decision elsewhere.
LOCAL_DEFAULTS: dict[str, Any] = {
    "server": {"image": "Local Linux", "flavor": "general1-1", "ssh_port": 2222},
    "listeners": [{"name": "http", "port": 8080}, {"name": "https", "port": 8443}],
    "limits": {"build": 60, "ssh": 30, "drain": 30},
}
CLOUD_DEFAULTS: dict[str, Any] = {
    "listeners": [{"name": "http", "port": 80}, {"name": "https", "port": 443, "protocol": "HTTPS"}],
}


def load(environment: str | None = None, **overrides: Any) -> Settings:
    """Read the settings file, if there is one.

    :param environment: which of its environments; without it, the one that the key `environment` names.
    :param overrides: come from the command line; None leaves a key as it is.
    :raises SettingsError: with every mistake, one a line; there is no such environment; or there is no file, and no
        sample app either.
    """
    path = find_file()
    if path is None:
        _require_sample()
    options = {key: value for key, value in overrides.items() if value is not None}
    return _checked(_read(path) if path else {}, path, environment, options)


def parse(text: str, path: Path) -> Settings:
    """Give the settings that a text stands for, when it is written to this path.

    :raises SettingsError: with every mistake, one a line.
    """
    return _checked(_from_toml(text, path), path, None, {})


def find_file() -> Path | None:
    """Find the settings file: `DEPLOY_FILE`, or deploy.toml beside the nearest fabfile above the current folder.

    :raises SettingsError: DEPLOY_FILE names a file that is not there.
    """
    named = os.environ.get("DEPLOY_FILE")
    if named:
        if not Path(named).is_file():
            raise SettingsError(f"DEPLOY_FILE names {named}, which is not a file")
        return Path(named).resolve()
    here = Path.cwd()
    roots = [folder for folder in (here, *here.parents) if (folder / "fabfile.py").is_file()]
    beside = (roots[0] if roots else PACKAGE_ROOT) / FILE_NAME
    return beside if beside.is_file() else None


def validate(given: Mapping[str, Any], *, folder: Path) -> Settings:
    """Turn what is given into settings. Relative paths are relative to `folder`.

    :raises ValidationError: with every mistake.
    """
    defaults = LOCAL_DEFAULTS if given.get("cloud", LOCAL) == LOCAL else CLOUD_DEFAULTS
    settings = Settings.model_validate(environments.laid_over(defaults, given))
    source = settings.source.model_copy(update={"path": folder / settings.source.path})
    scripts = folder / settings.bootstrap_scripts
    return settings.model_copy(update={"source": source, "bootstrap_scripts": scripts})


def _require_sample() -> None:
    if not SAMPLE_APP.is_dir():
        raise SettingsError(
            f"there is no {FILE_NAME} in {Path.cwd()} or above it",
            advice="In your app's folder, `disposable-servers init` writes one.",
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        return _from_toml(path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError as broken:
        raise SettingsError(f"{path} is not valid TOML: {broken}") from None
    except OSError as unreadable:
        raise SettingsError(f"{path} can not be read: {unreadable.strerror}") from None


def _from_toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        raise SettingsError(f"{path} is not valid TOML: {broken}") from None


def _checked(
    given: Mapping[str, Any], path: Path | None, environment: str | None, options: Mapping[str, Any]
) -> Settings:
    environments.require_tables(given)
    main = str(given.get(environments.NAME, MAIN))
    chosen = environment or main
    environments.require_known(chosen, given, main)
    folder = path.parent if path else PACKAGE_ROOT
    common = _tried({**environments.common(given), **options}, folder)
    tried = {name: _tried({**one, **options}, folder) for name, one in environments.variants(given, chosen).items()}
    mistakes = dict.fromkeys(line for name, one in tried.items() for line in _placed(one, name, given, common))
    settings = tried[chosen]
    if mistakes or not isinstance(settings, Settings):
        where = f" in {path}" if path else ""
        raise SettingsError(f"the settings{where} can not be used:" + "".join(f"\n  {line}" for line in mistakes))
    return settings


def _tried(given: Mapping[str, Any], folder: Path) -> Tried:
    """Give the settings, or the mistakes in them."""
    try:
        return validate(given, folder=folder)
    except ValidationError as invalid:
        return tuple(_mistakes(invalid))


def _placed(tried: Tried, name: str, given: Mapping[str, Any], common: Tried) -> Iterator[str]:
    """Give the mistakes of an environment; those that its table brings, with the path of the table."""
    for line in () if isinstance(tried, Settings) else tried:
        is_shared = not isinstance(common, Settings) and line in common
        is_own = name in given.get(environments.KEY, {}) and not is_shared
        yield f"{environments.KEY}.{name}.{line}" if is_own else line


def _mistakes(invalid: ValidationError) -> Iterator[str]:
    errors = invalid.errors(include_url=False, include_input=False)
    for error in errors:
        if any(other["loc"][: len(error["loc"])] == error["loc"] != other["loc"] for other in errors):
            continue  # a list or section is said to be wrong because of what is wrong inside it
        path = ".".join(str(part) for part in error["loc"])
        match error["type"]:
            case "value_error":
                yield str(error["ctx"]["error"])
            case "extra_forbidden":
                yield f"{path}: there is no such key{_did_you_mean(error['loc'])}"
            case "missing":
                yield f"{path}: has to be set"
            case _:
                yield f"{path}: {_lower(error['msg'])}"


def _did_you_mean(loc: tuple[int | str, ...]) -> str:
    section: type[Section] | None = Settings
    for part in loc[:-1]:
        section = _section_at(section, part) if section and isinstance(part, str) else section
    names = [*section.model_fields, *([environments.KEY] if section is Settings else [])] if section else []
    near = difflib.get_close_matches(str(loc[-1]), names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"


def _section_at(section: type[Section], key: str) -> type[Section] | None:
    kind = section.model_fields[key].annotation
    kinds = (kind, *get_args(kind))
    return next((found for found in kinds if isinstance(found, type) and issubclass(found, Section)), None)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
