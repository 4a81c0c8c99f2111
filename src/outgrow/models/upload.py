"""A folder's files as a repository of the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from outgrow.core.errors import UserError
from outgrow.models import hub


def upload(folder: Path, names: Sequence[str], repository: str, public: bool) -> str:
    """Put files into a model repository, which is made where there is none.

    Args:
        folder: where the files are.
        names: the files.
        repository: OWNER/NAME.
        public: whether everybody may read it.

    Returns:
        Its address.

    Raises:
        UserError: the hub cannot be reached or refuses, or the repository is there with another visibility.
    """
    try:
        from huggingface_hub import HfApi, errors
    except ImportError:
        raise UserError("pushing needs the package huggingface_hub: pip install 'outgrow[hub]'") from None
    if (match := hub.ID.fullmatch(repository)) is None or match["revision"] is not None:
        raise UserError(f"{repository!r} is no repository of the hub: give OWNER/NAME")
    if not hub.reachable():
        raise UserError(f"cannot reach {hub.endpoint()}: connect, and push again")
    api = HfApi(endpoint=hub.endpoint())
    try:
        try:
            private = api.model_info(repository).private
        except errors.RepositoryNotFoundError:
            api.create_repo(repository, private=not public)
            private = not public
        if private == public:
            raise UserError(
                f"{repository} is {'private' if private else 'public'} on the hub: give another name, or "
                + ("leave `public` out" if private else "`public=True` if everybody may read the student")
            )
        api.upload_folder(
            repo_id=repository, folder_path=folder, allow_patterns=list(names), commit_message="A student of outgrow"
        )
    except errors.HfHubHTTPError as error:
        raise _refused(repository, error.response.status_code) from None
    except ValueError as error:
        raise UserError(f"cannot push {folder}: {' '.join(str(error).split())[:300]}") from None
    except (errors.HTTPError, OSError) as error:
        raise UserError(
            f"cannot push to {repository}: {type(error).__name__}; log in (`hf auth login`), check the network"
        ) from None
    return f"{hub.endpoint()}/{repository}"


def _refused(repository: str, status: int) -> UserError:
    """What the hub's status means; its own message is left out, since it may repeat what it was sent."""
    if status == 401:
        return UserError(f"the hub does not know who pushes to {repository}: log in (`hf auth login`)")
    if status in (403, 404):
        return UserError(
            f"the hub does not let you write to {repository}: check the owner and the rights of your token"
        )
    return UserError(f"the hub refuses the push to {repository} (status {status}): try again later")
