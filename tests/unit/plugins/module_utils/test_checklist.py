"""The sentences of the checklist."""

from __future__ import annotations

from ansible_collections.cubeops.cubejs.plugins.module_utils.checklist import BY_ID, SENTENCES


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(SENTENCES)


def test_a_sentence_is_referred_to_by_its_section() -> None:
    assert BY_ID["redis-connections"].reference == "Production Checklist: Set up Redis"
