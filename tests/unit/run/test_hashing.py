import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tagsight.errors import UserError
from tagsight.run.hashing import fingerprint, keyed_hash, load_key, require_same_key, run_key


def test_key_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "made" / "key"
    key = load_key(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path) == key
    assert os.listdir(path.parent) == ["key"]


def test_all_who_start_at_once_get_one_key(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: load_key(tmp_path / "key"), range(64)))
    assert len(keys) == 1


def test_a_short_key_is_refused(tmp_path):
    (tmp_path / "key").write_bytes(b"short")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(UserError, match="holds 5 bytes"):
        load_key(tmp_path / "key")


@pytest.mark.parametrize("mode", [0o666, 0o644, 0o620, 0o602])
def test_a_key_that_others_can_use_is_refused_and_the_way_out_is_said(tmp_path, mode):
    load_key(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(UserError, match=rf"\(mode {mode:04o}\); chmod 0600 it"):
        load_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o400)
    assert len(load_key(tmp_path / "key")) == 32


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_user_is_refused(tmp_path):
    load_key(tmp_path / "key")
    os.chown(tmp_path / "key", 12345, -1)
    with pytest.raises(UserError, match="belongs to another user"):
        load_key(tmp_path / "key")


def test_a_key_that_is_published_with_the_clone_is_no_secret():
    assert len(load_key(Path(__file__).parents[3] / "config/idc.key")) >= 32


def test_a_folder_in_the_keys_place_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"privacy\.key_file"):
        load_key(tmp_path)


def test_hash_is_blake2b_with_the_key():
    key = bytes(range(32))
    expected = hashlib.blake2b(b"1.2.3", key=key, digest_size=16).hexdigest()
    assert keyed_hash(key, "1.2.3") == expected
    assert keyed_hash(bytes(32), "1.2.3") != expected
    assert len(expected) == 32


def test_only_the_key_of_the_results_folder_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_key(None) == (tmp_path / "results/key").read_bytes()
    with pytest.raises(UserError, match=r"privacy\.key_file"):
        run_key(str(tmp_path / "mistyped"))
    assert not (tmp_path / "mistyped").exists()


def test_another_key_is_refused():
    require_same_key(b"a" * 32, fingerprint(b"a" * 32))
    with pytest.raises(UserError, match="read all again"):
        require_same_key(b"a" * 32, fingerprint(b"b" * 32))
