"""The key is private from its first moment, and the hash of an address cannot be had without it."""

import pytest

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.privacy import keys


@pytest.fixture
def settings(tmp_path):
    return Settings(workspace=tmp_path, home=tmp_path / "var")


def test_key_is_made_once_and_only_for_its_owner(settings):
    key = keys.load_key(settings)
    assert [len(part) for part in key] == [keys.KEY_BYTES]
    assert keys.key_file(settings).stat().st_mode & 0o777 == 0o600
    assert settings.private.stat().st_mode & 0o777 == 0o700
    assert keys.load_key(settings) == key
    assert [file.name for file in settings.private.iterdir()] == ["hash.key"]


def test_key_that_others_can_read_is_refused(settings):
    keys.load_key(settings)
    keys.key_file(settings).chmod(0o640)
    with pytest.raises(UserError, match="can be read by others"):
        keys.load_key(settings)


def test_damaged_key_is_refused(settings):
    keys.load_key(settings)
    keys.key_file(settings).write_text("abc")
    with pytest.raises(UserError, match="holds no key"):
        keys.load_key(settings)


def test_demo_key_never_replaces_a_real_one(settings):
    key = keys.load_key(settings)
    keys.use_demo_key(settings)
    assert keys.load_key(settings) == key
    assert not keys.is_demo_key(key)


def test_equal_addresses_meet_whatever_their_case_and_blanks(settings):
    key = (b"k" * 32,)
    assert keys.keyed_hash(key, " Ann@Example.COM ") == keys.keyed_hash(key, "ann@example.com")
    assert keys.keyed_hash(key, "ann@example.com") != keys.keyed_hash((b"j" * 32,), "ann@example.com")
    # RFC 4231, test case 2: HMAC-SHA-256 of "what do ya want for nothing?" under the key "Jefe".
    assert keys.keyed_hash((b"Jefe",), "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"  # pragma: allowlist secret
    )
