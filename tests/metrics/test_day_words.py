"""Days as bits: each day has its place, and bits by position in a list come to the places of the listed days."""

import duckdb
import pytest

from keepwell.metrics.day_words import ALL_DAYS, WORD_DAYS, bit_of, by_word, mask_of, masks_between, moved_text, word_of


def test_a_word_holds_its_days_and_no_others() -> None:
    days = range(-WORD_DAYS, 2 * WORD_DAYS)
    assert {word: mask_of(listed) for word, listed in by_word(days).items()} == dict.fromkeys((-1, 0, 1), ALL_DAYS)
    assert len({(word_of(day), bit_of(day)) for day in days}) == len(days)


def test_masks_cover_a_range_of_days_across_words() -> None:
    first, last = WORD_DAYS - 2, WORD_DAYS + 1
    assert dict(masks_between(first, last)) == {0: bit_of(first) | bit_of(first + 1), 1: 0b11}
    assert dict(masks_between(5, 4)) == {}


@pytest.mark.parametrize("places", [(0,), (61,), (0, 1, 2), (3, 4, 9, 10, 61), tuple(range(WORD_DAYS)), (1, 3, 5)])
def test_bits_by_position_come_to_the_places_of_their_days(places: tuple[int, ...]) -> None:
    days = [7 * WORD_DAYS + place for place in places]
    bits = [*(1 << i for i in range(len(places))), (1 << len(places)) - 1]
    with duckdb.connect() as connection:
        moved = [
            connection.execute(f"SELECT {moved_text('b', days)} FROM (SELECT {b}::BIGINT AS b)").fetchall()
            for b in bits
        ]
    assert moved == [[(1 << place,)] for place in places] + [[(mask_of(days),)]]
