"""Scripts and style sheets that stand above the views, for views that name them."""

import re
from pathlib import Path

from explorer import views

HERE = Path(views.__file__).parent


def test_what_views_share_is_used_by_two_at_least():
    named = [set(re.findall(r'"\.\./(\w+\.\w+)"', path.read_text(encoding="utf-8"))) for path in HERE.glob("*/__init__.py")]
    for path in HERE.iterdir():
        if path.suffix in (".js", ".css"):
            assert sum(path.name in names for names in named) > 1, path.name
