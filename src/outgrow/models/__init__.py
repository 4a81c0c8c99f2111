"""Checkpoints by name, texts to features, and prompts to class probabilities.

    model = resolve("smollm2-135m", store)
    read = features(model, texts, store)               # read.x float32 (L layers, N texts, D wide)
    seen = image_features(model, images, store)        # the same of encoded images
    asked = zero_shot(model, prompts, [" yes", " no"], store)     # asked.probs float32 (N prompts, C words)

Nothing heavy is imported before it is needed.
"""

from outgrow.models.catalogue import Entry, catalogue
from outgrow.models.checkpoints import Model, check, members, resolve
from outgrow.models.encoder import Features, candidate_layers, features
from outgrow.models.language_model import ZeroShot, zero_shot
from outgrow.models.patches import patch_features
from outgrow.models.vision import image_features

__all__ = [
    "Entry",
    "Features",
    "Model",
    "ZeroShot",
    "candidate_layers",
    "catalogue",
    "check",
    "features",
    "image_features",
    "members",
    "patch_features",
    "resolve",
    "zero_shot",
]
