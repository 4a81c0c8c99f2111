"""Numbers and verdicts in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from outgrow.metrics import coverage
from outgrow.metrics.pgr import Interval, SummaryRow
from outgrow.runs.read import MetricView, RunPair

NO_GAP = ("gap not resolved", "ceiling below floor")
SIGNS = {"stop": "■", "warning": "▲", "note": "●", "ok": "✓", "not applicable": "–"}
"""How grave a finding is."""
KINDS = {
    "ceiling": "Ceiling: the student taught by gold",
    "method": "Methods: the student taught by weak labels alone",
    "floor": "Floor: what taught, the supervisor itself or the best label model of several",
    "contrast": "Contrasts: may come out any way, and teach",
    "control": "Controls: must come out a known way",
}
WHAT = {
    "floor": "what taught, as it answers the test items: the supervisor, or of several the best label model that needs no gold",
    "best member": "the supervisor that is best on weak-train gold, alone",
    "mean member": "what the supervisors score on average, each alone",
    "ceiling": "the student trained on gold instead of weak labels",
    "naive": "the student trained on the weak labels as they are",
    "untrained": "the student before any training",
    "zero-shot": "the student asked directly, without training",
    "gold-few": "the student trained on the gold that trained the supervisor",
    "iid-noise": "the student trained on gold with random flips, as many as the supervisor makes errors",
    "cheat-stop": "cheating: naive, stopped at the point of its training where gold says that it is best",
    "shuffled": "weak labels handed to the wrong items: must score like always giving the commonest answer",
    "gold-naive": "gold handed through the naive method: must be the ceiling exactly",
    "own-features": "the student's training on the supervisor's own features: must score like the floor",
}
OUTDATED = (
    "The floor of this run is its best supervisor alone, as an earlier version of outgrow wrote it, and not what taught: "
    "run the same command again."
)
GOLD = {"weak_train": "reads the supervisor’s own gold", "auxiliary": "reads gold of other tasks"}
"""What a method does that asks for such a resource; gold that is bought is counted instead."""
GLOSSARY = {
    "task": "A data set with a question whose true answers are known.",
    "gold": "Those true answers. Sealed away from the student; they only train the supervisor and the ceiling, and score everybody.",
    "supervisor": "The weak teacher: a small model, a prompt, rules or people that label items, with errors.",
    "student": "The stronger model that learns from the supervisor's labels.",
    "floor": (
        "How well what taught does on test items that nobody was trained on: the supervisor itself, or of several the best label "
        "model that needs no gold, chosen on the supervisors' own half."
    ),
    "ceiling": "How well the same student does when it is trained on gold instead: the best these items could have made of it.",
    "PGR": (
        "Performance gap recovered: (student − floor) / (ceiling − floor). 0% means that the student only copied its "
        "teacher, 100% that the teacher's errors cost nothing. It can be below 0% and above 100%."
    ),
    "method": "A recipe for learning from weak labels. Naive, plain training on them, is what the others have to beat.",
    "control": "A run that must come out a known way. If it does not, something is broken, and no other figure should be trusted.",
    "contrast": "A run that may come out any way, and shows what the methods should be compared with.",
    "replicate": "One seed: its own split of the training items, its own start. Every score is a mean over replicates.",
    "[low, high]": "A 95% interval: in 95 of 100 studies done like this one, such an interval holds the true value.",
    "new data": "The interval for what another pool of items from the same source would give: the one to quote.",
    "this pool": "The narrower interval for these very items, with other splits and seeds.",
}


def percent(value: float | None, digits: int = 1) -> str:
    """0.618 -> 61.8%"""
    return "–" if value is None else f"{100 * value:z.{digits}f}%".replace("-", "−")


def interval(ends: Interval | None, digits: int = 1) -> str:
    """(0.28, 0.46) -> [28.0%, 46.0%], or nothing."""
    return "" if not ends else f"[{percent(ends[0], digits)},\u00a0{percent(ends[1], digits)}]"


def share(value: float | None) -> str:
    """A PGR: 0.37 -> 37%"""
    return percent(value, 0)


def points(value: float | None) -> str:
    """A difference of scores: 0.031 -> +3.1"""
    return "–" if value is None else f"{100 * value:+z.1f}".replace("-", "−")


def point_interval(ends: Interval | None) -> str:
    return "" if not ends else f"[{points(ends[0])},\u00a0{points(ends[1])}]"


def seconds(value: float | None) -> str:
    """75.2 -> 1 min 15 s"""
    if value is None:
        return "–"
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def amount(value: float | None, unit: str = "") -> str:
    """1.35e8 -> 135M; with a unit, 1.2e12 -> 1.2 TFLOP"""
    if value is None:
        return "–"
    steps = ("", "k", "M", "B") if not unit else ("", "k", "M", "G", "T", "P", "E")
    index = 0
    while value >= 999.5 and index + 1 < len(steps):
        value, index = value / 1000, index + 1
    number = f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"
    return f"{number} {steps[index]}{unit}" if unit else f"{number}{steps[index]}"


def what(name: str, methods: dict[str, Any]) -> str:
    """One line on what a row is."""
    if name.startswith("supervisor:"):
        return "One of the supervisors, alone."
    if name.startswith("label-model:"):
        return "What this label model makes of the supervisors' answers."
    return sentence((methods.get(name) or {}).get("line") or WHAT.get(name, ""))


def silence(row: SummaryRow) -> str:
    """How a row that is silent on some test items scores, either way of counting; nothing of one that always speaks."""
    if row.spoke is None:
        return ""
    return (
        f"speaks on {percent(row.spoke, 0)}; silence a guess: {percent(row.as_guess)}, "
        f"silence the commonest class: {percent(row.as_commonest)}"
    )


def gold_read(about: dict[str, Any]) -> list[str]:
    """What a method, as details.json has it, reads of gold that weak labels alone do not show."""
    return [said for resource, said in GOLD.items() if resource in about.get("resources", ())]


def asides(pair: RunPair, methods: dict[str, Any]) -> list[str]:
    """What has to be said beside the table: methods that lacked something, and gold that others bought or read."""
    said = [f"{entry['method']} was left out. It needs {'; '.join(entry['lacks'])}." for entry in pair.get("left_out")]
    if pair.outdated:
        said.append(OUTDATED)
    if covered := pair.details.get("coverage"):
        said.append(_covered(covered["first"], covered["best"]))
        if covered.get("cut"):
            said.append(
                f"{percent(covered['cut'])} of the supervisor’s first answers were cut at the token limit: they teach their words, not where to stop."
            )
    bought = (pair.details.get("bought") or {}).items()
    said += [f"{name} bought {count:,.0f} gold labels a replicate, which naive did not have." for name, count in bought]
    for row in pair.main.of("method"):
        said += [
            f"{row.method} {reads}, which the others do not." for reads in gold_read(methods.get(row.method) or {})
        ]
    return said


def alarms(pair: RunPair) -> list[str]:
    """What has to be said of methods that are above the ceiling by more than chance."""
    return [
        f"Above the ceiling: {row.method}, by {points(row.vs_ceiling)} points of {view.label} (at least {points(row.vs_ceiling_low)}): "
        "check for a leak. It can be so honestly, where gold was too little to teach the ceiling much; a method that reads gold looks the same."
        for view in pair.views
        for row in view.rows
        if row.above_ceiling
    ]


def sentence(text: str | None) -> str:
    """The text with a capital letter at its start and a full stop at its end."""
    text = (text or "").strip()
    return text and text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def worth(pair: RunPair) -> str:
    """What the weak labels are worth in gold labels, in a sentence; nothing where the run does not say."""
    found = pair.details.get("worth") or {}
    n, ends, status = found.get("n"), found.get("n_ci"), found.get("status")
    curve = [point["n"] for point in pair.get("gold_curve") if point.get("n")]
    if status == "more than all" and curve:
        return f"To the student these weak labels were worth more than all {max(curve):,} gold labels of its half."
    if status == "less than the smallest" and curve:
        return f"To the student these weak labels were worth less than {min(curve):,} gold labels."
    if n is None:
        return ""
    bounds = ""
    if ends:
        low, high = (None if end is None else f"{end:,.0f}" for end in ends)
        bounds = f" [{low or 'fewer than measured'},\u00a0{high or 'more than measured'}]"
    return f"To the student these weak labels were worth about {n:,.0f} gold labels{bounds}."


@dataclass(frozen=True)
class Headline:
    """The answer for one pair. `verdict`: yes | no | unclear."""

    verdict: str
    label: str
    text: Markup

    @property
    def plain(self) -> str:
        return self.text.striptags()


def headline(pair: RunPair) -> Headline:
    """The study's question, answered in plain words for one pair."""
    found = _answer(pair)
    if any(control.get("passed") is False for control in pair.get("controls")):
        return Headline("unclear", "A control failed: not to be relied on", found.text)
    return found


def tally(headlines: list[Headline]) -> Markup:
    """One sentence over several pairs."""
    counts = {verdict: sum(found.verdict == verdict for found in headlines) for verdict in ("yes", "no", "unclear")}
    said = Markup("In <b>{} of {}</b> pairs the student outgrew its teacher").format(counts["yes"], len(headlines))
    if counts["no"]:
        said += Markup("; in <b>{}</b> it did not").format(counts["no"])
    if counts["unclear"]:
        said += Markup("; in <b>{}</b> this study cannot tell").format(counts["unclear"])
    return said + "."


def _answer(pair: RunPair) -> Headline:
    view = pair.main
    floor, ceiling, naive = view.floor, view.ceiling, view.row("naive") or view.best
    if not (floor and ceiling and naive) or None in (floor.value, ceiling.value, naive.value):
        text = Markup("On <b>{}</b>, this run has no floor, ceiling and method to compare for {} and {}.")
        return Headline("unclear", "Cannot be answered", text.format(pair.task, pair.weak, pair.strong))
    if pair.outdated:
        return Headline(
            "unclear", "Not measured against what taught", Markup("On <b>{}</b>: {}").format(pair.task, OUTDATED)
        )
    if naive.status in NO_GAP or naive.pgr is None:
        return _no_gap(pair, view, naive)
    text = _recovered(pair, view, naive)
    best = view.best
    if best and best is not naive and best.pgr is not None:
        text += Markup(" Of the {} methods, <b>{}</b> came out best: <b>{}</b>{}{}.").format(
            len(view.of("method")), best.method, share(best.pgr), _after(interval(best.pgr_ci, 0)), _above_naive(best)
        )
    if naive.status != "ok":
        text += Markup(" These are first impressions: <b>{}</b> for intervals ({}). {}").format(
            naive.status, f"{pair.replicates} replicates, {naive.n_test:,} test items", _power(pair)
        )
        return Headline("unclear", sentence(naive.status)[:-1], text)
    top = best if best and best.pgr is not None else naive
    return _verdict(text, naive, top, "teachers" if pair.several else "teacher")


def _above_naive(row: SummaryRow) -> str:
    if row.vs_naive is None or row.vs_naive_ci is None:
        return ""
    return f", {points(row.vs_naive)} points {point_interval(row.vs_naive_ci)} above naive".replace("+", "")


def _recovered(pair: RunPair, view: MetricView, naive: SummaryRow) -> Markup:
    who = Markup("On <b>{}</b>, {} taught by {}’s labels alone").format(pair.task, pair.strong, pair.weak)
    rest = Markup("the gap between its {} (<b>{}</b>) and what it could have been with gold (<b>{}</b>)").format(
        _taught(pair), percent(view.floor.value), percent(view.ceiling.value)
    )
    how = "" if naive.method == "naive" else f" by {naive.method}"
    if naive.pgr < 0:
        said = Markup("{} recovered <b>none</b> of {}: it scored <b>{}</b>, below {} (PGR {}{}).")
        below = "its teachers" if pair.several else "its teacher"
        return who + said.format(
            how, rest, percent(naive.value), below, share(naive.pgr), _after(interval(naive.pgr_ci, 0))
        )
    said = Markup("{} recovered <b>{}</b>{} of {}.")
    return who + said.format(how, share(naive.pgr), _after(interval(naive.pgr_ci, 0)), rest)


def _taught(pair: RunPair) -> str:
    """What the floor is, in words."""
    floor = pair.main.floor
    if not pair.several or floor is None or not floor.of:
        return "teacher"
    return f"teachers’ labels by {floor.of}"


def _verdict(text: Markup, naive: SummaryRow, best: SummaryRow, teacher: str) -> Headline:
    above = next((row for row in (naive, best) if row.pgr > 1), None)
    if above:
        text += Markup(
            " <b>{}</b> is above the ceiling: weak labels taught more than as much gold did, "
            "so look at the ceiling (too little gold, over-fitting) before celebrating."
        ).format(above.method)
    if naive.pgr_ci and naive.pgr_ci[0] > 0:
        return Headline("yes", f"The student outgrew its {teacher}", text)
    if best.pgr_ci and best.pgr_ci[0] > 0:
        return Headline("yes", f"The student outgrew its {teacher}, with {best.method}", text)
    if best.pgr_ci and best.pgr_ci[1] < 0:
        return Headline("no", f"The student did not outgrow its {teacher}", text)
    why = "the interval contains 0" if best.pgr_ci else "the interval has no end"
    return Headline("unclear", f"Not clear: {why}", text)


def _no_gap(pair: RunPair, view: MetricView, row: SummaryRow) -> Headline:
    gap = row.gap if row.gap is not None else view.ceiling.value - view.floor.value
    below = row.status == "ceiling below floor"
    text = Markup(
        "On <b>{}</b> there is no share to report: {}’s ceiling with gold (<b>{}</b>) {} its {} {} (<b>{}</b>); "
        "the gap is {} points{}. Taught by weak labels, the student scored <b>{}</b>{}. {}"
    ).format(
        pair.task,
        pair.strong,
        percent(view.ceiling.value),
        "lies below" if below else "is not clearly above",
        "teachers" if pair.several else "teacher",
        f"{pair.weak}, {view.floor.of}," if pair.several else pair.weak,
        percent(view.floor.value),
        points(gap),
        _after(point_interval(row.gap_ci)),
        percent(row.value),
        _after(interval(row.value_ci)),
        _power(pair),
    )
    return Headline("unclear", sentence(row.status)[:-1], text)


def _covered(first: float, best: float) -> str:
    """How much there is to choose from among the supervisors' answers."""
    says = f"On the transfer items the supervisor’s first answers score {percent(first)}; the best of those that methods may choose from, {percent(best)}."
    if coverage.counts(first, best):
        return says
    return f"{says} That is too little to judge methods by that choose among answers: look for {percent(coverage.COVERED, 0)}, and {coverage.TIMES} times the first."


def _power(pair: RunPair) -> str:
    return sentence((pair.details.get("power") or {}).get("says"))


def _after(text: str) -> str:
    return f" {text}" if text else ""


def compared(facts: dict[str, Any]) -> str:
    """How a committee's answers were compared with gold and with one another; "" for files of before that was written."""
    how = facts.get("compared")
    if not how:
        return ""
    judged = facts["scorer"] == "correct"
    by = "right as the column 'correct' says" if judged else f"compared with gold by --scorer {facts['scorer']}"
    chosen = [f"--{name}" for name in how["by_default"] if not (judged and name == "scorer")]
    why = (
        f" ({' and '.join(chosen)} chosen by what the {'answers' if judged else 'gold'} is like)".replace(
            "answers is", "answers are"
        )
        if chosen
        else ""
    )
    return f"answers are {by}, and the same to a vote by --form {how['form']}{why}"
