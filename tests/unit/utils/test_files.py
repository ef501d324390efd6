"""A file is replaced by a complete one, or not at all."""

import pytest

from mmpod.utils.files import replaced


def test_a_complete_file_takes_the_place_of_another(tmp_path):
    for content in (b'old', b'new'):
        with replaced(tmp_path / 'folder' / 'a.bin') as file:
            file.write(content)
        assert (tmp_path / 'folder' / 'a.bin').read_bytes() == content
    assert [path.name for path in (tmp_path / 'folder').iterdir()] == ['a.bin']


@pytest.mark.parametrize('error', [OSError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(error, tmp_path):
    (tmp_path / 'a.bin').write_bytes(b'old')
    with pytest.raises(error), replaced(tmp_path / 'a.bin') as file:
        file.write(b'new')
        raise error
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b'old']
