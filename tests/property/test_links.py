"""Who is linked to whom at a close, and whether that is new, says the last profile alone, however they were read."""

from hypothesis import given
from hypothesis import strategies as st

from laurel.agents.links import Link, named

MEMBERS = st.sampled_from([None, "m:1", "m:2"])


@given(st.lists(st.lists(MEMBERS, max_size=4), max_size=4))
def test_a_link_is_new_at_a_close_if_its_member_is_another_than_at_the_one_before(days: list[list[str | None]]) -> None:
    link, before = None, None
    for day, profiles in enumerate(days):
        for member in profiles:
            found = named(link, member, day)
            link = link if found is None else Link.from_bytes(found.to_bytes())
        member = link.member if link else None
        assert member == (profiles[-1] if profiles else before)
        assert (link is not None and link.is_new(day)) == (member != before)
        before = member


def test_a_link_stored_by_an_earlier_version_is_read() -> None:
    assert Link.from_bytes(b'["m:1", 19800]') == Link("m:1", 19_800)
