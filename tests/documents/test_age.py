"""Until when a file counts: by the age that its criterion allows, and by its own last day."""

from datetime import date

import pytest

from app.documents.age import still_counts

STORED = date(2025, 2, 28)


@pytest.mark.parametrize(
    ("months", "expires_on", "on", "counts"),
    [
        (None, None, date(2099, 1, 1), True),
        (12, None, date(2026, 2, 28), True),
        (12, None, date(2026, 3, 1), False),
        (None, date(2025, 12, 31), date(2025, 12, 31), True),
        (None, date(2025, 12, 31), date(2026, 1, 1), False),
        (12, date(2025, 12, 31), date(2026, 1, 1), False),
        (12, date(2027, 1, 1), date(2026, 3, 1), False),
    ],
)
def test_a_file_counts_up_to_and_with_its_last_day(months, expires_on, on, counts):
    assert still_counts(STORED, expires_on, months, on) is counts
