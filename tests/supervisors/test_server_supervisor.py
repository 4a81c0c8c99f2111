"""A supervisor behind a server, as far as its name goes."""

import pytest

from outgrow import supervisors
from outgrow.core.errors import UserError


def test_a_url_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(UserError, match=r"^supervisor server:http://host/v1,m: .* OPENAI_API_KEY$") as told:
        supervisors.parse("tfidf+server:http://me:opensesame@host/v1,m")
    assert "opensesame" not in str(told.value)
    assert [argument for _, argument in supervisors.parse("server:http://host/v1,m@1")] == ["http://host/v1,m@1"]
