"""What people agreed to stays what they agreed to."""

from hashlib import sha256

from dispatch.model.consent import REFERRAL, WORDINGS

#: Of every wording that people have agreed to: a better one gets a name of its own, and a line here.
AS_READ_OUT = {"referral-1": "ccbc59f8531967ad"}


def test_no_wording_is_changed_under_its_name() -> None:
    assert {name: sha256("".join(texts).encode()).hexdigest()[:16] for name, texts in WORDINGS.items()} == AS_READ_OUT
    assert REFERRAL in WORDINGS
    assert all("{territory}" in text for texts in WORDINGS.values() for text in texts)
