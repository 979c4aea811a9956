"""Events of several records in one request: which go there, and that none is told twice."""

from collections.abc import Sequence
from dataclasses import replace

from direct_debit.application.outbox.record_change import MOST_TOGETHER, News, publish_ahead, tell
from direct_debit.application.ports.ports import Ports
from tests.fakes.world import World
from tests.unit.application.support import paid_untold


def some_news(refs: Sequence[str]) -> tuple[World, Ports, list[News]]:
    """Payments that are PAID and told nobody of it, as so many records."""
    merchant = paid_untold()
    merchant.world.events.published.clear()  # of the link
    payment = merchant.payment()
    records = [News(replace(payment, ref=ref), payment.untold, settles=False) for ref in refs]
    return merchant.world, merchant.world.process(), records


def test_the_bus_takes_ten_at_once() -> None:
    assert MOST_TOGETHER == 10


def test_two_records_share_a_request_and_one_alone_does_not() -> None:
    world, ports, news = some_news(["A", "B"])
    assert publish_ahead(news[:1], ports) is ports
    assert world.events.published == []
    publish_ahead(news, ports)
    assert [event.id for event in world.events.published] == [one.events[0].id for one in news]


def test_what_went_ahead_is_not_told_again_and_the_rest_is_in_order() -> None:
    world, ports, news = some_news(["A", "B"])
    ahead = publish_ahead(news, ports)
    for one in news:
        tell(one, ahead)
    ids = [event.id for event in world.events.published]
    assert len(ids) == len(set(ids)) == sum(len(one.events) for one in news)
    for one in news:
        assert [name for name in ids if name.startswith(f"{one.events[0].id.split(':')[0]}:")] == [
            event.id for event in one.events
        ]


def test_what_went_ahead_is_not_published_together_again() -> None:
    world, ports, news = some_news(["A", "B"])
    ahead = publish_ahead(news, ports)
    went = [one.events[0] for one in news]
    later = news[0].events[1]
    assert ahead.events.publish_together([*went, later]) == {event.id for event in [*went, later]}
    assert world.events.published == [*went, later]


def test_a_record_without_events_takes_no_place() -> None:
    world, ports, (first, second) = some_news(["A", "B"])
    silent = News(second.record, (), settles=False)
    assert list(silent.events) == []
    assert publish_ahead([first, silent], ports) is ports
    assert world.events.published == []
