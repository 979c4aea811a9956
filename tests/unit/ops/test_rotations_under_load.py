"""A small run of tests/benchmarks/rotations.py, whose whole result stands in docs/measurements.md."""

from typing import Literal

import pytest

from tests.benchmarks.rotations import AT_ONCE, SCENES, Shop, describe, put_section


@pytest.mark.parametrize("layout", ["one", "three"])
@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene != AT_ONCE])
def test_a_rotation_under_load_refuses_nothing(scene: str, layout: Literal["one", "three"]) -> None:
    result = Shop(scene, rotations=2, orders=24, layout=layout).run()
    assert result.is_good, result
    assert result.orders == result.paid == result.debits == 24
    assert result.refused["a call of DOKU's"] == 0
    assert result.repeated == 0
    heard = scene in ("issuedTokenKey", "dokuPublicKey") or scene.startswith("secretKey")
    assert (result.by_replaced_key > 0) == heard


def test_where_doku_switches_at_once_what_is_refused_is_repeated() -> None:
    result = Shop(AT_ONCE, rotations=3, orders=60).run()
    assert result.is_good, result
    assert result.repeated > 0


def test_without_an_overlap_it_would_be_seen() -> None:
    result = Shop("issuedTokenKey", rotations=2, orders=24, overlap=0).run()
    assert result.refused["a call of DOKU's"] > 0
    assert not result.is_good


def test_the_section_takes_the_place_of_the_one_before() -> None:
    section = describe([])
    page = f"# M\n\n## A\n\nx\n\n{section}\n## Z\n\nz\n"
    assert put_section(page, section) == page
    assert put_section("# M\n\n## A\n\nx\n\n## Z\n\nz\n", section) == page
