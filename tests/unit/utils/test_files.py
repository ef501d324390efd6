"""A file is replaced by a complete one, or not at all, and one that cannot be written is refused before the work."""

import os

import pytest

from mmpod.utils.errors import UserError
from mmpod.utils.files import check_output_file, replaced


def test_a_complete_file_takes_the_place_of_another(tmp_path):
    for content in (b'old', b'new'):
        with replaced(tmp_path / 'folder' / 'a.bin') as file:
            file.write(content)
        assert (tmp_path / 'folder' / 'a.bin').read_bytes() == content
    assert [path.name for path in (tmp_path / 'folder').iterdir()] == ['a.bin']


def test_the_old_file_stays_until_the_new_one_is_on_the_disk(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError

    monkeypatch.setattr('os.fsync', fail)
    (tmp_path / 'a.bin').write_bytes(b'old')
    with pytest.raises(OSError), replaced(tmp_path / 'a.bin') as file:
        file.write(b'new')
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b'old']


@pytest.mark.parametrize('error', [OSError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(error, tmp_path):
    (tmp_path / 'a.bin').write_bytes(b'old')
    with pytest.raises(error), replaced(tmp_path / 'a.bin') as file:
        file.write(b'new')
        raise error
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b'old']


def test_two_processes_that_write_one_file_do_not_mix(tmp_path, monkeypatch):
    with replaced(tmp_path / 'a.bin') as first:
        first.write(b'A' * 9)
        first.flush()
        monkeypatch.setattr(os, 'getpid', lambda: 0)
        with replaced(tmp_path / 'a.bin') as second:
            second.write(b'B' * 3)
        assert (tmp_path / 'a.bin').read_bytes() == b'B' * 3
        first.write(b'A' * 9)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b'A' * 18]


def test_a_file_that_can_be_written_is_neither_made_nor_changed(tmp_path):
    check_output_file('--out', tmp_path / 'folder' / 'a.bin')
    assert list((tmp_path / 'folder').iterdir()) == []
    (tmp_path / 'folder' / 'a.bin').write_bytes(b'old')
    check_output_file('--out', tmp_path / 'folder' / 'a.bin')
    assert (tmp_path / 'folder' / 'a.bin').read_bytes() == b'old'


def test_a_folder_or_a_place_without_files_is_refused(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='--out to be a file, but got the folder'):
        check_output_file('--out', tmp_path)
    with pytest.raises(UserError, match=r'--out to be a file that can be written.*file/a.bin` \(.*\)\. Name another'):
        check_output_file('--out', tmp_path / 'file' / 'a.bin')
