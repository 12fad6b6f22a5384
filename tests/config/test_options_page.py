"""The page of options is the one that the declarations give."""

from dfv.config.options_page import PAGE, options_page
from dfv.config.schema import option_fields


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == options_page(), "run python -m dfv.config.options_page"


def test_every_option_has_a_row():
    page = options_page()
    assert all(page.count(f"\n| `{field.name}` |") == 1 for _, field in option_fields())
