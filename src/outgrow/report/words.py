"""Numbers and verdicts in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from outgrow.metrics import coverage
from outgrow.metrics.pgr import Interval, SummaryRow
from outgrow.report.glossary import GOLD, OUTDATED, WHAT
from outgrow.runs.read import ITEMS, MetricView, RunPair

NO_GAP = ("gap not resolved", "ceiling below floor")


def percent(value: float | None, digits: int = 1) -> str:
    """0.618 -> 61.8%"""
    return "–" if value is None else f"{100 * value:z.{digits}f}%".replace("-", "−")


def prompted(form: str) -> str:
    """How a model was asked: "chat" -> asked in its chat template"""
    return "asked in its chat template" if form == "chat" else "asked to continue plain text"


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


def count(value: float | str | None) -> str:
    """12400 -> 12,400; a text stays as it is."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:,.0f}"


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
        return "The supervisors' labels, combined by this label model."
    return sentence((methods.get(name) or {}).get("line") or WHAT.get(name, ""))


def abstentions(row: SummaryRow) -> str:
    """How a row that abstains on some test items scores, counted either way; nothing of one that never abstains."""
    if row.spoke is None:
        return ""
    return (
        f"labels {percent(row.spoke, 0)} of items; abstentions as guesses: {percent(row.as_guess)}, "
        f"as the commonest class: {percent(row.as_commonest)}"
    )


def reading(pair: RunPair, view: MetricView) -> str:
    """How the table of a pair's results is read."""
    items = max((row.n_test for row in view.rows), default=0)
    common = ""
    if view.majority is not None:
        common = f"; always giving the commonest class scores {percent(view.majority)}"
    return (
        f"{sentence(view.label)[:-1]} on {items:,} test items, mean over {pair.replicates} "
        f"replicate{'' if pair.replicates == 1 else 's'}, with 95% intervals{common}. “Against naive” is in points "
        "of the score, paired; p after Holm’s correction over the methods."
    )


def gold_read(about: dict[str, Any]) -> list[str]:
    """What a method, as details.json has it, reads of gold that weak labels alone do not show."""
    asked = set(about.get("resources", ()))
    asked -= {"weak_train"} if "known_gold" in asked else set()
    return [said for resource, said in GOLD.items() if resource in asked]


def asides(pair: RunPair, methods: dict[str, Any]) -> list[str]:
    """What has to be said beside the table: methods that lacked something, and gold that others bought or read."""
    said = [
        f"{entry['method']} was left out. " + (f"It needs {needs}." if needs else "It returned no student.")
        for entry in pair.get("left_out")
        for needs in ["; ".join(entry["lacks"])]
    ]
    if pair.outdated:
        said.append(OUTDATED)
    if covered := pair.details.get("coverage"):
        said.append(_covered(covered["first"], covered["best"]))
        if covered.get("cut"):
            said.append(
                f"{percent(covered['cut'])} of the supervisor’s first samples were cut at the token limit: they teach "
                "what they say, not where to stop."
            )
    bought = (pair.details.get("bought") or {}).items()
    said += [f"{name} bought {count:,.0f} gold labels a replicate, which naive did not have." for name, count in bought]
    for row in pair.main.of("method", "gold"):
        said += [
            f"{row.method} {reads}, which the others do not." for reads in gold_read(methods.get(row.method) or {})
        ]
    return said


def alarms(pair: RunPair) -> list[str]:
    """What has to be said of methods that are above the ceiling by more than chance."""
    return [
        f"Above the ceiling: {row.method}, by {points(row.vs_ceiling)} points of {view.label} (at least "
        f"{points(row.vs_ceiling_low)}): check for a leak. It can be so honestly, where gold was too little to teach "
        "the ceiling much; a method that reads gold looks the same."
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
    if not (floor and ceiling and naive) or floor.value is None or ceiling.value is None or naive.value is None:
        text = Markup("On <b>{}</b>, this run has no floor, ceiling and method to compare for {} and {}.")
        return Headline("unclear", "Cannot be answered", text.format(pair.task, pair.weak, pair.strong))
    if pair.outdated:
        return Headline(
            "unclear", "Not measured against what taught", Markup("On <b>{}</b>: {}").format(pair.task, OUTDATED)
        )
    if naive.status in NO_GAP or naive.pgr is None:
        return _no_gap(pair, floor, ceiling.value, naive)
    text = _recovered(pair, floor.value, ceiling.value, naive, naive.pgr)
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


def _recovered(pair: RunPair, floor: float, ceiling: float, naive: SummaryRow, pgr: float) -> Markup:
    who = Markup("On {}, {} taught by {}’s labels alone").format(_measured(pair), pair.strong, pair.weak)
    rest = Markup("the gap between its {} (<b>{}</b>) and what it could have been with gold (<b>{}</b>)").format(
        _taught(pair), percent(floor), percent(ceiling)
    )
    how = "" if naive.method == "naive" else f" by {naive.method}"
    if pgr < 0:
        said = Markup("{} recovered <b>none</b> of {}: it scored <b>{}</b>, below {} (PGR {}{}).")
        below = "its teachers" if pair.several else "its teacher"
        return who + said.format(how, rest, percent(naive.value), below, share(pgr), _after(interval(naive.pgr_ci, 0)))
    said = Markup("{} recovered <b>{}</b>{} of {}.")
    return who + said.format(how, share(pgr), _after(interval(naive.pgr_ci, 0)), rest)


def _measured(pair: RunPair) -> Markup:
    """The task, and the metric where that is not accuracy."""
    by = "" if pair.main.metric == ITEMS else f" (by {pair.main.label})"
    return Markup("<b>{}</b>{}").format(pair.task, by)


def _taught(pair: RunPair) -> str:
    """What the floor is, in words."""
    floor = pair.main.floor
    if not pair.several or floor is None or not floor.of:
        return "teacher"
    return f"teachers’ labels by {floor.of}"


def _verdict(text: Markup, naive: SummaryRow, best: SummaryRow, teacher: str) -> Headline:
    above = next((row for row in (naive, best) if row.pgr is not None and row.pgr > 1), None)
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


def _no_gap(pair: RunPair, floor: SummaryRow, ceiling: float, row: SummaryRow) -> Headline:
    gap = row.gap if row.gap is not None or floor.value is None else ceiling - floor.value
    below = row.status == "ceiling below floor"
    text = Markup(
        "On {} there is no share to report: {}’s ceiling with gold (<b>{}</b>) {} its {} {} (<b>{}</b>); "
        "the gap is {} points{}. Taught by weak labels, the student scored <b>{}</b>{}. {}"
    ).format(
        _measured(pair),
        pair.strong,
        percent(ceiling),
        "lies below" if below else "is not clearly above",
        "teachers" if pair.several else "teacher",
        f"{pair.weak}, {floor.of}," if pair.several else pair.weak,
        percent(floor.value),
        points(gap),
        _after(point_interval(row.gap_ci)),
        percent(row.value),
        _after(interval(row.value_ci)),
        _power(pair),
    )
    return Headline("unclear", sentence(row.status)[:-1], text)


def _covered(first: float, best: float) -> str:
    """How much there is to choose from among the supervisors' samples."""
    says = (
        f"On the transfer items the supervisor’s first samples score {percent(first)}; the best of the samples that "
        f"methods may choose from, {percent(best)}."
    )
    if coverage.counts(first, best):
        return says
    return (
        f"{says} That is too little to judge methods that choose among samples: look for "
        f"{percent(coverage.COVERED, 0)}, and {coverage.TIMES} times the first or half of what it misses."
    )


def _power(pair: RunPair) -> str:
    """What would resolve the gap; it is known for the metric of single items only."""
    if pair.main is not pair.by_item:
        return ""
    return sentence((pair.details.get("power") or {}).get("says"))


def _after(text: str) -> str:
    return f" {text}" if text else ""


def compared(facts: dict[str, Any]) -> str:
    """How a committee's answers were compared with gold and with one another; "" for earlier files."""
    how = facts.get("compared")
    if not how:
        return ""
    judged = facts["scorer"] == "correct"
    by = "right as the column 'correct' says" if judged else f"compared with gold by --scorer {facts['scorer']}"
    chosen = [f"--{name}" for name in how["by_default"] if not (judged and name == "scorer")]
    like = "what the answers are like" if judged else "what the gold is like"
    why = f" ({' and '.join(chosen)} chosen by {like})" if chosen else ""
    return f"answers are {by}, and the same to a vote by --form {how['form']}{why}"
