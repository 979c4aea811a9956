"""A small run of tests/benchmarks/rotations.py, whose whole result stands in docs/measurements.md."""

import pytest

from tests.benchmarks.rotations import AT_ONCE, Layout, Shop, describe, put_section, scenes_of

LAYOUTS: tuple[Layout, ...] = ("one", "three")
SCENES = [(scene, layout) for layout in LAYOUTS for scene in scenes_of(layout) if scene != AT_ONCE]


@pytest.mark.parametrize(("scene", "layout"), SCENES)
def test_a_rotation_under_load_refuses_nothing(scene: str, layout: Layout) -> None:
    result = Shop(scene, rotations=2, orders=24, layout=layout).run()
    assert result.is_good, result
    assert result.orders == result.paid == result.debits == 24
    assert result.refused["a call of DOKU's"] == 0
    assert result.repeated == 0
    heard = scene in ("issuedTokenKey", "dokuPublicKey") or scene.startswith("secretKey")
    assert (result.by_replaced_key > 0) == heard


@pytest.mark.parametrize("layout", LAYOUTS)
def test_where_doku_switches_at_once_what_is_refused_is_repeated(layout: Layout) -> None:
    result = Shop(AT_ONCE, rotations=3, orders=60, layout=layout).run()
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
