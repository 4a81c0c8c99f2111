"""How often audits cry wolf, and how often they miss, on small studies in which everything is trained: python bench/alarms.py [DRAWS]

Planted by tests/taught.py: supervisors whose errors the student can imitate ("part"), cannot ("blurred"), that come near it ("near"), or
that see what it sees ("all": no gap); committees of regressions; judges that put a price on themselves. Prints, for each, the draws with
a finding of each severity, and of predictions how often the interval holds what trained students recover.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import taught
from outgrow.audits.expect import WITHIN

COMMITTEES = {
    "three that see little and one that sees all": [slice(0, 2), slice(0, 2), slice(0, 3), slice(0, 8)],
    "three that see different features": [slice(0, 3), slice(3, 6), slice(5, 8)],
    "one twice, and one as good": [slice(0, 4), slice(0, 4), slice(4, 8)],
}


def main(draws: int) -> None:
    for sees in ("part", "blurred", "near", "all"):
        methods = {"mended": taught.mended(0.05)}
        every = [taught.study(seed, sees, methods=methods, seconds=600) for seed in range(draws)]
        said, expected = defaultdict(list), []
        for one in every:
            for code in ("EXPECT", "CEILING", "COST", "CURVE"):
                for name, finding in taught.found(code, one).items():
                    said[name].append(finding)
            expected.append(taught.found("EXPECT", one).get("EXPECT-PGR"))
            said["CEILING-GAP before training"].append(taught.found("CEILING", replace(one, study=None))["CEILING-GAP"])
        rows = [one.study.rows for one in every]
        gap, pgr = (
            np.array([r["ceiling"]["value"] - r["floor"]["value"] for r in rows]),
            np.array([r["naive"]["pgr"] for r in rows], float),
        )
        print(
            f"{sees}: gap {100 * gap.mean():.1f} points, PGR of naive {np.nanmean(pgr):.2f}; mended above naive {100 * np.mean([r['mended']['vs_naive'] for r in rows]):.1f} points"
        )
        for name, findings in said.items():
            print(f"  {name:30} {counted(findings)}")
        held = [
            (abs(f.value - p) <= WITHIN, p, f.severity)
            for f, p in zip(expected, pgr, strict=True)
            if f and f.value is not None and np.isfinite(p)
        ]
        if held:
            print(
                f"  interval of EXPECT-PGR holds {np.mean([h for h, _, _ in held]):.0%} of {len(held)}; of PGR above .3 {sum(p > 0.3 for _, p, _ in held)}, called little {sum(p > 0.3 and s == 'note' for _, p, s in held)}"
            )
        print(f"  last doubling was worth {100 * np.mean([f.value for f in said['CURVE']]):.1f} points")
    wasted = [
        taught.found("COST", taught.study(seed, "blurred", methods={"spoilt": taught.spoilt(0.8)}, seconds=600))["COST"]
        for seed in range(draws)
    ]
    print(f"COST, four labels in five spoilt: {counted(wasted)}")
    for name, views in COMMITTEES.items():
        print(
            f"GAIN, {name}: {counted([taught.found('GAIN', taught.committee(seed, views))['GAIN'] for seed in range(draws)])}"
        )
    # A choice is logistic: ten times as much is worth the slope by ln 10 / 1.7 standard deviations, .25 being the level.
    for itself in (0.5, 0.15, 0.12, 0.0):
        print(
            f"EXCHANGE, itself {itself * np.log(10) / 1.7:.2f}: {counted([taught.found('EXCHANGE', taught.prices(seed, itself))['EXCHANGE'] for seed in range(draws)])}"
        )


def counted(findings) -> str:
    return ", ".join(f"{severity} {count}" for severity, count in Counter(f.severity for f in findings).most_common())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
