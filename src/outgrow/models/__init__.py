"""Checkpoints by name, texts to features, and prompts to class probabilities.

    model = resolve("smollm2-135m", store)
    features(model, texts, store).x                               float32 (L layers, N texts, D wide)
    image_features(model, images, store).x                        the same of encoded images
    zero_shot(model, prompts, [" yes", " no"], store).probs       float32 (N prompts, C words)

Nothing heavy is imported before it is needed.
"""

from outgrow.models.catalogue import Entry, catalogue
from outgrow.models.checkpoints import WORDS, Model, check, members, resolve
from outgrow.models.chess import move_features
from outgrow.models.encoder import Features, candidate_layers, features
from outgrow.models.language_model import ZeroShot, zero_shot
from outgrow.models.patches import patch_features
from outgrow.models.vision import image_features

__all__ = [
    "WORDS",
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
    "move_features",
    "patch_features",
    "resolve",
    "zero_shot",
]
