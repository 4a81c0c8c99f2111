"""The kinds of artifacts in the store, and the definitions that compute them: the source of all keys.

Definitions are written "module:name". Members of registries that an artifact needs as well (a method, a supervisor, a
label model, a loss, a verifier, a language model) are given to `fingerprint` where the key is made.
"""

from __future__ import annotations

_ROOTS = {
    "features": "models.encoder:features",
    "image-features": "models.vision:image_features",
    "patches": "models.patches:_learn",
    "patch-features": "models.patches:patch_features",
    "chess-features": "models.chess:_read",
    "zero-shot": "models.language_model:zero_shot",
    "words": "models.language_model:_tokens_of",
    "labels": "pipeline.class_cell:ClassCell",
    "crossed": "pipeline.class_cell:ClassCell",
    "block": "pipeline.runner:row pipeline.class_cell:ClassCell",
    "fine-tuned": "students.finetune:FinetuneRun",
    "convnet": "students.convnet:ConvnetRun",
    "answers": "generation.answers:_fresh generation.answers:_unpacked generation.answers:_seed "
    "generation.answers:_units",
    "class-words": "generation.class_words:ask",
    "beams": "students.generator:Writers generation.decoding:beams",
    "scores": "students.generator:Writers",
    "token-scores": "training.causal:logprobs",
    "tuned": "training.causal:CausalRun",
    "pruned": "training.pruned:_pruned",
    "siblings": "training.pruned:_healed",
    "written": "pipeline.runner:row pipeline.text_cell:TextCell",
    "scored": "pipeline.scoring:right",
    "verdicts": "verifiers:Attempt verifiers:Verdict",
    "knowledge": "pipeline.knowledge:knows",
}
ROOTS = {
    kind: tuple((f"outgrow.{module}", name) for module, _, name in (place.partition(":") for place in places.split()))
    for kind, places in _ROOTS.items()
}
"""By kind of artifact the (module, name) of the definitions that compute it."""

BYTES = {
    "models": "a published checkpoint in another form: saved students name its digest, which follows FORMAT",
    "packages": "a file of a wheel whose sha256 is known",
    "training": "the state of a training, under the key of its result",
}
"""Kinds whose keys have no code in them, and why."""

OBSERVERS = (
    "outgrow.core.artifacts",
    "outgrow.core.errors",
    "outgrow.core.extras",
    "outgrow.core.fingerprint",
    "outgrow.core.machine",
    "outgrow.core.objects",
    "outgrow.core.progress",
    "outgrow.core.registry",
    "outgrow.core.syntax",
    "outgrow.core.worlds",
    "outgrow.runs",
    "outgrow.store",
)
"""Modules that only observe: they show progress, raise errors, keep or name results, or plant worlds for tests."""

PINNED = frozenset(
    {
        ("outgrow.models.checkpoints", "resolve"),
        ("outgrow.tasks.frame_source", "of"),
        ("outgrow.training.pruned", "resolve"),
    }
)
"""Functions whose results carry a digest of what made them, which is in every key that depends on them."""

MARKS = frozenset(
    {
        ("outgrow.label_models", "label_model"),
        ("outgrow.methods", "method"),
        ("outgrow.pipeline.baselines", "baseline"),
        ("outgrow.selection", "selection"),
        ("outgrow.supervisors", "supervisor"),
        ("outgrow.verifiers", "verifier"),
    }
)
"""Decorators that return the function unchanged: their records do not change what it computes."""
