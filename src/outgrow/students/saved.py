"""A student in a folder: what it takes to label new items, and none of its training data.

    student.json           model (name, digest, revision), layers, precision, classes, template, columns, training
    student.safetensors    for each head the centre and rotation of its axes, and its weights

    student = outgrow.load("student/")
    student.predict(["one text", "another"])           # (2,) classes
    student.predict_proba(["one text", "another"])     # (2, C) probabilities, in the order of student.classes

A fine-tuned student's folder is a checkpoint of `transformers` and student.json: its weights are model.safetensors.
Those of a network from scratch are convnet.safetensors.

A student whose model is "votes" reads the annotators' votes in place of a text: one indicator for every (annotator,
class), the family of linear functions that contains the posteriors of Dawid & Skene.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.losses._names import loss_of
from outgrow.store import Store
from outgrow.students import convnet, encoding, student_file
from outgrow.students.ensemble import pooled
from outgrow.students.saved_text import SavedGenerator
from outgrow.students.student_file import ARRAYS, CONVNET, FACTS, StudentFile
from outgrow.training.classifier import KINDS

SHARED = tuple(field.name for field in fields(StudentFile) if field.name not in ("answers", "sha256"))
"""What a student that labels and its file have in common."""


@final
@dataclass(frozen=True, kw_only=True)
class SavedStudent:
    """A student that labels items: a head on features, a pool of such heads, or a network of its own."""

    classes: tuple[str, ...]
    reads: str
    """"texts", "pairs" of texts, "images", "images and texts", "features" or "votes"."""
    model: str
    """The checkpoint's name, and what pins its bytes."""
    digest: str
    revision: str
    pooling: str
    """Of every head, where the head itself does not say."""
    precision: str
    head: str
    """"linear" or "mlp"; "lora" or "full" of a fine-tuned student, "convnet" of a network from scratch."""
    heads: tuple[Mapping[str, Any], ...]
    """For each head its layer and pooling, the share of its log odds, and file, class and fields of its loss."""
    voters: tuple[str, ...]
    """The annotators, in the order in which a student of votes reads them."""
    template: str
    """How columns become the text that the model reads, and which column plays which role."""
    columns: Mapping[str, str]
    words: tuple[str, ...]
    """The word of each class, as a language model would answer it."""
    taught: Mapping[str, Any]
    """Method, label model and number of items: for the record."""
    arrays: Mapping[str, np.ndarray]
    """By the head's number and a name; those of an encoder without weights by its name; empty of other networks."""
    folder: Path | None = None
    """Where the student is."""

    @property
    def classes_(self) -> np.ndarray:
        """(C,) the classes in the order of `predict_proba`, as scikit-learn calls them."""
        return np.array(self.classes)

    def predict(self, items: Any) -> np.ndarray:
        """(n,) the likeliest class of each item; arguments and errors as of `predict_proba`."""
        return self.classes_[self.predict_proba(items).argmax(-1)]

    def predict_proba(self, items: Any) -> np.ndarray:
        """Class probabilities of new items.

        Args:
            items: a data frame with the columns that the student reads; or n items, as `reads` says: texts, as the
                template makes them; pairs (text, text) of which one is better; encoded images; pairs (image, text);
                features (n, D) or (n, L, D) of L layers; votes (annotators, n, C), NaN for an abstention.

        Returns:
            (n, C) float32, in the order of `classes`.

        Raises:
            UserError: the checkpoint of that name is another one than the student was trained on, or the items are
                not what it reads.
        """
        from outgrow.students import frames

        items = frames.items_of(self, items)
        if not len(items):
            return np.empty((0, len(self.classes)), np.float32)
        if self.head in KINDS:
            return self._tuned(items)
        if self.head == CONVNET:
            return self._convolved(items)
        read = encoding.encoded(self, items)
        return pooled([self._by_head(m, x) for m, x in enumerate(read)], [head["share"] for head in self.heads])

    def save(self, folder: Path | str) -> Path:
        """Write the student, with its model card where it has one, into a new folder that `outgrow.load` reads.

        Raises:
            UserError: the folder holds something.
        """
        from outgrow.students import saving

        return saving.copy(self, Path(folder))

    def _tuned(self, items: Sequence[Any] | np.ndarray) -> np.ndarray:
        from outgrow.students.finetune import Texts

        store = Store.default()
        texts = tuple((item,) if isinstance(item, str) else tuple(item) for item in items)
        if len(texts[0]) != (2 if self.reads == "pairs" else 1):
            raise encoding.misfit(self.reads)
        read = Texts(models.resolve(str(self.folder), store), texts, self.classes, store)
        return read.probs(None, loss_of(self.heads[0]["objective"]))

    def _convolved(self, items: Sequence[Any] | np.ndarray) -> np.ndarray:
        assert self.folder is not None
        network = convnet.load(self.folder)
        if self.reads == "images":
            return network.predict(list(items))
        images, texts = encoding.sides(self.reads, items)
        return network.predict(images, texts)

    def _by_head(self, number: int, x: np.ndarray) -> np.ndarray:
        """Probabilities (n, C) of one head for features (n, D)."""
        import torch

        from outgrow.students import linear, mlp

        at = {
            name.partition(".")[2]: torch.from_numpy(np.array(value))
            for name, value in self.arrays.items()
            if name.partition(".")[0] == str(number)
        }
        head = linear.Heads(at["weights"]) if self.head == "linear" else mlp.Networks(at["first"], at["second"])
        axes = torch.zeros(at["weights"].shape[-1] if self.head == "linear" else at["first"].shape[-2])
        basis = linear.Basis(torch.empty(0, len(axes)), axes, axes, at["centre"], at["turn"])
        if x.shape[1] != len(at["centre"]):
            raise UserError(f"the student reads features of width {len(at['centre'])}, and these have {x.shape[1]}")
        logits = head.logits(basis.project(torch.from_numpy(np.array(x))))[0]
        return loss_of(self.heads[number]["objective"]).read(logits).numpy()


def found_in(folder: Path) -> Path:
    """The folder of the student in a run folder; the folder itself where it is a student's, or no run's.

    Raises:
        UserError: there are several students.
    """
    inner = [place.parent for place in sorted([*folder.glob(f"student/{FACTS}"), *folder.glob(f"students/*/{FACTS}")])]
    if (folder / FACTS).exists() or not inner:
        return folder
    if len(inner) > 1:
        raise UserError(f"{folder} holds {len(inner)} students: name one of {', '.join(map(str, inner))}")
    return inner[0]


def load(folder: Path | str) -> SavedStudent | SavedGenerator:
    """The student in its own folder or in the run folder of a study.

    Raises:
        UserError: there is none, or a file is not as it was written.

    Example:
        >>> load("nowhere")
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: no student in nowhere: give the folder that `outgrow learn` ... wrote ...
    """
    from safetensors.numpy import load as decode

    folder = found_in(Path(folder))
    known = student_file.read(folder)
    if known.answers is not None:
        return SavedGenerator(folder, known.answers, known.columns, known.taught)
    arrays = {} if known.head in (*KINDS, CONVNET) else decode((folder / ARRAYS).read_bytes())
    return SavedStudent(**{name: getattr(known, name) for name in SHARED}, arrays=arrays, folder=folder)
