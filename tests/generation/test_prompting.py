"""How prompts are put to models with a chat template and without, and where a run says so."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import tiny_models
from outgrow import models
from outgrow.cli import settings
from outgrow.core.errors import UserError
from outgrow.generation import PLAIN, Prompting, Sampling, chats
from outgrow.generation.local import Local
from outgrow.report import committee as committee_page
from outgrow.runs import schema
from outgrow.runs.schema.committee import CommitteeFile
from outgrow.store import Store
from outgrow.tasks import generation
from outgrow.tasks.source import TASKS, generation_source
from outgrow.training import causal
from outgrow.workflows.committee import committee

IDS = {word: at for at, word in enumerate(tiny_models.SPECIAL + tiny_models.WORDS)}
TEMPLATE = "<s> maybe {% for m in messages %}{{ m['content'] }} </s> {% endfor %}so"
"""A user's turn ends with </s>, and the reply comes after "so"."""


@pytest.fixture(scope="module")
def base(causal):
    """A model without a chat template."""
    return str(causal)


@pytest.fixture(scope="module")
def instruct(tmp_path_factory):
    """The same model with one."""
    folder = tiny_models.save(tmp_path_factory.mktemp("instruct") / "m", encoder=False)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": TEMPLATE}))
    return str(folder)


def ids(text: str) -> list[int]:
    return [IDS[word] for word in text.split()]


def local(name: str, store: Store) -> Local:
    return Local(models.resolve(name, store))


def test_auto_is_the_chat_template_where_there_is_one_and_plain_text_where_there_is_none(base, instruct, store):
    auto = Prompting("auto")
    assert chats(local(instruct, store), auto) and not chats(local(base, store), auto)
    assert not chats(local(instruct, store), PLAIN)
    assert local(instruct, store).encode("the city", auto) == ids("<s> maybe the city </s> so")
    assert local(base, store).encode("the city", auto) == ids("<s> the city")
    with pytest.raises(UserError, match="has no chat template: use an instruction-tuned model"):
        local(base, store).encode("the city", Prompting("chat"))


def test_with_an_instruction_the_reply_begins_with_the_prompt_and_examples_are_for_plain_prompts_alone(
    base, instruct, store
):
    asked = Prompting("auto", examples="rome is in ", instruction="not a city", opening=": ")
    assert local(instruct, store).encode("the city", asked) == ids("<s> maybe not a city </s> so : the city")
    assert local(base, store).encode("the city", asked) == ids("<s> rome is in the city")
    whole = Prompting("auto", instruction="so {prompt} true", opening=": ")
    assert local(instruct, store).encode("the city", whole) == ids("<s> maybe so the city true </s> so : the city")
    assert local(instruct, store).encode("the </s>", whole).count(IDS["</s>"]) == 1
    # The text of a control token in a prompt is none in a reply either.
    assert local(instruct, store).encode("the </s>", asked).count(IDS["</s>"]) == 1


def test_what_is_learned_is_the_answer_after_the_prompt_as_the_model_is_asked_it(instruct, store):
    asked = Prompting("auto", instruction="not a city")
    (text,) = causal.read(models.resolve(instruct, store), [("the city", " is very")], asked)
    assert text.ids.tolist() == ids("<s> maybe not a city </s> so the city is very </s>")
    assert text.start == len(ids("<s> maybe not a city </s> so the city"))


def test_answers_in_chat_are_those_to_the_whole_text_of_the_template(instruct, store):
    model = local(instruct, store)
    how = Sampling(tokens=5, temperature=0, prompting=Prompting("chat"))
    ((said,),) = model.sample(["the city"], 1, how, [[0]])
    plain = model.begin([ids("<s> maybe the city </s> so")])
    assert said.tokens[0] == int(plain.logits[0].argmax())


def test_a_task_is_asked_as_the_setting_says_and_an_unknown_form_is_one_line():
    task, _ = generation.load("arithmetic", items=3)
    assert task.prompting.form == "auto" and task.prompting.instruction
    plain, _ = generation.load("arithmetic", items=3, prompting="plain")
    assert plain.prompting == replace(task.prompting, form="plain") and plain.digest == task.digest
    with pytest.raises(UserError, match="unknown form of prompts 'caht': did you mean 'chat'"):
        generation.load("arithmetic", items=3, prompting="caht")


def test_a_committee_says_how_each_of_its_models_was_asked(base, instruct, tmp_path, store):
    task, gold = generation.load("sudoku", 4, 0)
    short = replace(task, texts=tuple((f"the city of {name}",) for name in ("lyon", "paris", "rome", "spain")))
    source = generation_source("short", "")(lambda items, seed: (replace(short, tokens=3, prompting=asked), gold))
    asked = Prompting("auto")
    with TASKS.lending(source):
        committee("short", weak=[base, instruct], draws=2, out=tmp_path / "run", store=store)
    read = schema.read(tmp_path / "run" / "committee.json", CommitteeFile)
    assert [member.prompting for member in read.members] == ["plain", "chat"] and read.asked.prompting == "auto"
    page = (tmp_path / "run" / "committee.html").read_text()
    assert page.count(", asked in its chat template:") == page.count(", asked to continue plain text:") == 1
    assert committee_page.benches(json.loads((tmp_path / "run" / "committee.json").read_text()))


def test_how_models_are_asked_does_not_apply_to_tasks_with_classes():
    with pytest.raises(UserError, match="--prompting applies to generation tasks alone: leave it out"):
        settings.checked({"tasks": ["cities"], "prompting": "chat"})
    assert settings.checked({"tasks": ["places"], "prompting": "chat"})["prompting"] == "chat"
