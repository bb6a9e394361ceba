"""Every sentence of the production checklist has a rule or a reason, and the modules' topics have rules that exist."""

from __future__ import annotations

import pytest
from ansible_collections.cubeops.cubejs.plugins.module_utils.asserting import TOPICS, Topic
from ansible_collections.cubeops.cubejs.plugins.module_utils.checklist import SENTENCES, Sentence
from ansible_collections.cubeops.cubejs.plugins.module_utils.rules.registry import RULES


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.id)
def test_every_sentence_has_a_rule_or_a_reason(sentence: Sentence) -> None:
    rules = [rule.id for rule in RULES if sentence.id in rule.sentences]
    assert bool(rules) != bool(sentence.informative), "one of them, not both"


@pytest.mark.parametrize("sentence", [each for each in SENTENCES if not each.informative], ids=lambda each: each.id)
def test_every_sentence_is_judged_on_live_hosts(sentence: Sentence) -> None:
    assert any(sentence.id in rule.sentences and rule.judges_hosts for rule in RULES)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_modules_rules_judge_hosts(topic: Topic) -> None:
    judging = {rule.id for rule in RULES if rule.judges_hosts}
    assert not [name for name in topic.rules if name not in judging]
