"""Three commands for each verb, which its help begins with."""

from __future__ import annotations

EXAMPLES = {
    "run": (
        "outgrow run",
        "outgrow run cities --weak minilm-l6 --strong smollm2-135m --seeds 16",
        "outgrow run reviews.csv --text review --label stars --method naive logconf",
    ),
    "learn": (
        "outgrow learn messages.csv --votes rule_1,rule_2,crowd --out student",
        "outgrow learn messages.csv --votes rule_1,rule_2 --gold answer --suggest 50",
        "outgrow learn messages.csv --classes spam ham --ask qwen2.5-coder-0.5b",
    ),
    "label": (
        "outgrow label messages.csv --classes spam ham --by gemma3-270m -o out.csv",
        "outgrow label messages.csv --classes spam ham --by server:URL,NAME -o out.csv",
        "outgrow label items.csv --classes 0 1 --words bad good --by MODEL -o out.csv",
    ),
    "predict": (
        "outgrow predict student new.csv",
        "outgrow predict student new.csv --text body --out labels.csv",
        "outgrow predict student items.csv --votes-table votes.csv",
    ),
    "audit": (
        "outgrow audit votes.csv",
        "outgrow audit messages.csv --votes rule_1,rule_2,crowd --strong minilm-l6",
        "outgrow audit cities --weak minilm-l6 tfidf --strong smollm2-135m",
    ),
    "push": (
        "outgrow push student OWNER/NAME",
        "outgrow push runs/cities-minilm-l6-smollm2-135m OWNER/NAME",
        "outgrow push student OWNER/NAME --public",
    ),
    "list": (
        "outgrow list",
        "outgrow list methods",
        "outgrow list models",
    ),
    "show": (
        "outgrow show runs/cities-minilm-l6-smollm2-135m",
        "outgrow show student --format md",
        "outgrow show runs/cities-minilm-l6-smollm2-135m --figure ladder.pdf",
    ),
    "report": (
        "outgrow report runs/cities-minilm-l6-smollm2-135m",
        "outgrow report student",
        "outgrow report runs/committee-sudoku",
    ),
    "compare": (
        "outgrow compare runs/one runs/two",
        "outgrow compare runs/* --out leaderboard.html",
        "outgrow compare runs/* --out leaderboard.md",
    ),
    "committee": (
        "outgrow committee sudoku --weak smollm2-135m --samples 16",
        "outgrow committee arithmetic:2 --weak smollm2-135m --strong gemma3-270m",
        "outgrow committee answers.csv --answers model_a,model_b --gold gold",
    ),
    "steer": (
        "outgrow steer places",
        "outgrow steer places --strong smollm2-135m --seeds 4",
        "outgrow steer questions.csv --small sibling --alpha 1.5",
    ),
    "cite": (
        "outgrow cite",
        "outgrow cite runs/cities-minilm-l6-smollm2-135m",
        "outgrow cite runs/one runs/two student",
    ),
    "store": (
        "outgrow store",
        "outgrow store prune --older-than 30",
        "outgrow store prune --kind features training --at-most 20GB --yes",
    ),
    "completion": (
        "outgrow completion bash",
        "outgrow completion zsh",
        "outgrow completion fish",
    ),
}
"""By verb."""
