"""Tables on terminals of any width."""

import io

import pytest
from rich.console import Console

from aiinfra.views import plain_table, table

COLUMNS = ("SERVICE", "UPTIME", "VERSION", "IMAGE")
ROWS = [("redis", "3 min", "8.0", "redis:8.0"), ("litellm", "3 min", "1.106.2", "aiinfra-litellm:58e9e9be3b47")]


def shown(width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    with console.capture() as captured:
        console.print(table(COLUMNS, ROWS, width, ("IMAGE", "VERSION")))
    return captured.get().splitlines()


@pytest.mark.parametrize(("width", "head"), [(80, COLUMNS), (40, COLUMNS[:3]), (20, COLUMNS[:2])])
def test_columns_give_way_in_their_order_and_no_others(width: int, head: tuple[str, ...]) -> None:
    assert tuple(shown(width)[0].split()) == head


def test_every_row_is_one_line_where_it_fits() -> None:
    assert len(shown(80)) == len(shown(40)) == len(shown(20)) == 3


def test_a_table_for_a_program_has_every_cell_whole_and_no_blanks_at_the_end() -> None:
    assert plain_table(COLUMNS, ROWS).splitlines() == [
        "SERVICE  UPTIME  VERSION  IMAGE",
        "redis    3 min   8.0      redis:8.0",
        "litellm  3 min   1.106.2  aiinfra-litellm:58e9e9be3b47",
    ]


def test_a_wide_column_shares_what_is_left_with_the_last_one() -> None:
    console = Console(width=64, file=io.StringIO())
    rows = [("mock", "one long name, another long name, and a third", "what it is for, in a whole sentence of words")]
    with console.capture() as captured:
        console.print(table(("NAME", "NEEDS", "WHAT"), rows, 64))
    assert len(captured.get().splitlines()) == 3
