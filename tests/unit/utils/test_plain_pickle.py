"""An interpreter of pickles that knows a few opcodes and no objects."""

import io
import pickle
import pickletools
from collections import OrderedDict

import pytest

from mmpod.utils.plain_pickle import OPCODES, Call, Global, Pairs, read_pickle

VALUES = [None, True, 3, -70000, 2**40, 'text', '\u00fc', b'bytes', (), (1, 2, 3, 4), [1, ['a']], ((1,), (2, 3))]


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_plain_values_come_back(protocol):
    for value in (*VALUES, VALUES, tuple(VALUES), 'a' * 1000, b'b' * 1000):
        assert read_pickle(io.BytesIO(pickle.dumps(value, protocol=protocol)), 1000) == value
    same = [1, 2]
    first, second = read_pickle(io.BytesIO(pickle.dumps([same, same], protocol=protocol)), 1000)
    assert first is second == same


@pytest.mark.parametrize('make', [dict, OrderedDict])
def test_dicts_come_back_as_pairs(make):
    found = read_pickle(io.BytesIO(pickle.dumps(make({'b': 1, 'a': make()}))), 1000)
    assert type(found) is Pairs and found == [('b', 1), ('a', Pairs())]


def test_the_file_is_left_behind_the_pickle():
    file = io.BytesIO(pickle.dumps(1) + pickle.dumps(2) + b'rest')
    assert read_pickle(file, 9) == 1 and read_pickle(file, 9) == 2 and file.read() == b'rest'


def test_calls_and_outside_objects_are_described():
    found = read_pickle(io.BytesIO(b'\x80\x02ctorch.storage\n_load_from_bytes\nK\x01\x85R.'), 9)
    assert found == Call(Global('torch.storage', '_load_from_bytes'), (1,))
    assert read_pickle(io.BytesIO(b'\x80\x02K\x01\x85Q.'), 9, persistent_load=lambda fields: ['got', fields]) == [
        'got',
        (1,),
    ]
    with pytest.raises(ValueError, match='external object'):
        read_pickle(io.BytesIO(b'\x80\x02K\x01\x85Q.'), 9)


def test_the_opcodes_are_those_that_make_plain_values():
    known = {opcode.name for opcode in pickletools.opcodes}
    assert OPCODES < known
    assert not OPCODES & {
        'BUILD',
        'INST',
        'OBJ',
        'NEWOBJ',
        'NEWOBJ_EX',
        'EXT1',
        'EXT2',
        'EXT4',
        'PERSID',
        'LONG4',
        'INT',
    }


@pytest.mark.parametrize('opcode', [o for o in pickletools.opcodes if o.name not in OPCODES], ids=lambda o: o.name)
def test_other_opcodes_are_refused_before_their_argument_is_read(opcode):
    file = io.BytesIO(b'\x80\x02K\x01K\x02(' + opcode.code.encode('latin1') + b'1' * 100)
    with pytest.raises(ValueError, match=f'opcode {opcode.name},'):
        read_pickle(file, 100)
    assert file.tell() == 8


@pytest.mark.parametrize(
    'program, words',
    [
        (b'', 'truncated'),
        (b'K', 'not enough data'),
        (b'\xff', 'not a pickle'),
        (b'.', 'does not hold'),
        (b'(.', 'does not hold'),
        (b'K\x01t.', 'does not hold'),
        (b'(q\x00.', 'does not hold'),
        (b'h\x00.', 'does not hold'),
        (b'K\x01(\x86.', 'does not hold'),
        (b'K\x01K\x02a.', 'other than a list'),
        (b'K\x01K\x02K\x03s.', 'other than a list'),
        (b'}K\x02a.', 'other than a list'),
        (b']K\x02K\x02s.', 'other than a list'),
        (b'K\x01)R.', 'not a function'),
        (b'ctorch\nFloatStorage\n)R.', 'calls `torch.FloatStorage`'),
        (b'c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00punictR.', 'calls `_codecs.encode`'),
        (b'cos\nsystem\n.', 'asks for `os.system`'),
        (b'X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93.', 'asks for `os.system`'),
        (b'c' + b'a' * 200 + b'\nb\n.', 'invalid function name'),
        (b'K\x01K\x02\x93.', 'invalid function name'),
        (b'\x80\x06K\x01.', 'protocol 6'),
        (b'K\x01q\x00' * 60 + b'.', 'more opcodes.*100'),
    ],
)
def test_programs_that_hold_no_value(program, words):
    with pytest.raises(ValueError, match=words):
        read_pickle(io.BytesIO(program), 100)


def test_depth_costs_nothing():
    found = read_pickle(io.BytesIO(b')' + b'\x85' * 10**5 + b'.'), 2 * 10**5)
    assert type(found) is tuple
    del found
