"""What the store keeps, and which definitions compute it: the one list that all keys are made from.

Each is "module:name". What an artifact needs beside these and is found by name (a method, a supervisor, a label model, a loss, a
verifier, a language model) is given to `fingerprint` where the key is made.
"""

from __future__ import annotations

_ROOTS = {
    "features": "models.encoder:features",
    "image-features": "models.vision:image_features",
    "patches": "models.patches:_learn",
    "patch-features": "models.patches:patch_features",
    "zero-shot": "models.language_model:zero_shot",
    "words": "models.language_model:_tokens_of",
    "labels": "pipeline.class_cell:ClassCell",
    "crossed": "pipeline.class_cell:ClassCell",
    "block": "pipeline.runner:row pipeline.class_cell:ClassCell",
    "fine-tuned": "students.finetune:FinetuneRun",
    "convnet": "students.convnet:ConvnetRun",
    "answers": "generation.answers:_fresh generation.answers:_unpacked generation.answers:_seed generation.answers:_units",
    "beams": "students.generator:Writers generation.decoding:beams",
    "scores": "students.generator:Writers",
    "token-scores": "training.causal:logprobs",
    "tuned": "training.causal:CausalRun",
    "pruned": "training.pruned:_pruned",
    "siblings": "training.pruned:_healed",
    "written": "pipeline.runner:row pipeline.text_cell:TextCell",
    "scored": "pipeline.scoring:right",
    "verdicts": "verifiers:Attempt verifiers:Verdict",
    "knowledge": "workflows.proxy_tuning:knows",
}
ROOTS = {
    kind: tuple((f"outgrow.{module}", name) for module, _, name in (place.partition(":") for place in places.split()))
    for kind, places in _ROOTS.items()
}
"""By kind of artifact the (module, name) of what computes it."""

BYTES = {
    "models": "a checkpoint as it was published, in another form: its digest is what saved students name, and follows FORMAT",
    "packages": "a file of a wheel whose sha256 is known",
    "training": "where a training stands, under the key of what comes out of it",
}
"""Kinds whose keys have no code in them, and why."""

OBSERVERS = (
    "outgrow.core.artifacts",
    "outgrow.core.errors",
    "outgrow.core.fingerprint",
    "outgrow.core.progress",
    "outgrow.core.syntax",
    "outgrow.core.worlds",
    "outgrow.runs",
    "outgrow.store",
)
"""Modules that only look on: they show how far a computation is, say why it ended, keep what comes out or name it, plant tests."""

PINNED = frozenset({("outgrow.models.checkpoints", "resolve"), ("outgrow.training.pruned", "resolve")})
"""What these return says itself what made it, by a digest that is in every key which depends on it."""

MARKS = frozenset(
    {
        ("outgrow.methods", "method"),
        ("outgrow.pipeline.baselines", "baseline"),
        ("outgrow.supervisors", "supervisor"),
        ("outgrow.verifiers", "verifier"),
    }
)
"""Decorators that return the function as it was: what they note of it does not change what it computes."""
