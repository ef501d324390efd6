"""A reader of pickles of plain values and tensors, which never imports or calls anything that a pickle names."""

import pickletools
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple, Optional

__all__ = ['Call', 'Global', 'Pairs', 'describe', 'read_pickle']


class Global(NamedTuple):
    """The name of a function or class."""

    module: str
    name: str


class Call(NamedTuple):
    """A call that the pickle asks for."""

    function: Global
    arguments: Any


class Pairs(list):
    """The items of a dict as (key, value) in the order of the pickle: no key is hashed."""


MARK = object()
MAKERS: dict[str, Callable[[], Any]] = {
    'NONE': lambda: None,
    'NEWTRUE': lambda: True,
    'NEWFALSE': lambda: False,
    'EMPTY_TUPLE': tuple,
    'EMPTY_LIST': list,
    'EMPTY_DICT': Pairs,
}
LITERALS = {'BININT', 'BININT1', 'BININT2', 'LONG1', 'SHORT_BINUNICODE', 'BINUNICODE', 'SHORT_BINBYTES', 'BINBYTES'}
TUPLES = {'TUPLE1': 1, 'TUPLE2': 2, 'TUPLE3': 3}
PUTS, GETS = {'BINPUT', 'LONG_BINPUT', 'MEMOIZE'}, {'BINGET', 'LONG_BINGET'}
FRAMING = {'PROTO', 'FRAME', 'STOP', 'MARK'}
OTHERS = {'TUPLE', 'APPEND', 'APPENDS', 'SETITEM', 'SETITEMS', 'GLOBAL', 'STACK_GLOBAL', 'REDUCE', 'BINPERSID'}
OPCODES = {*MAKERS, *LITERALS, *TUPLES, *PUTS, *GETS, *FRAMING, *OTHERS}
BY_CODE = {opcode.code: opcode for opcode in pickletools.opcodes}

ENCODE = Global('_codecs', 'encode')  # protocol 2 writes bytes as text through this function
ORDERED_DICT = Global('collections', 'OrderedDict')
STORAGES = {Global('torch', f'{kind}Storage') for kind in ('Half', 'Float', 'Double', 'Int', 'Long')}
REBUILD = {Global('torch._utils', '_rebuild_tensor_v2'), Global('torch.storage', '_load_from_bytes')}
GLOBALS = {ENCODE, ORDERED_DICT, *STORAGES, *REBUILD}


def describe(value: Any) -> str:
    """Describe a value of a pickle: a string or number in about 60 characters, otherwise its type."""
    if type(value) is str:
        return repr(value[:60]) + ('...' if len(value) > 60 else '')
    if type(value) is int and abs(value) < 2**63:
        return str(value)
    return 'a dict' if type(value) is Pairs else f'a {type(value).__name__}'  # a huge integer, too


def read_pickle(file: BinaryIO, max_opcodes: int, persistent_load: Optional[Callable[[Any], Any]] = None) -> Any:
    """Return what a pickle of protocol 2 to 5 describes, as plain Python values.

    The values are None, bool, int, str, bytes, tuple, list, :class:`Pairs`, :class:`Global`, :class:`Call` and what
    ``persistent_load`` returns. They may be nested very deeply and may share parts: do not hash, compare or print
    containers, and do not descend into them without a limit.

    Args:
        file: Read up to the end of the pickle.
        max_opcodes: Bounds time, memory and depth.
        persistent_load: Called with the pickle's reference to an external object, such as a tensor's storage. None
            refuses such references.

    Raises:
        ValueError: The pickle has an opcode or a name that no dict of tensors needs, too many opcodes, or is damaged.

    Example:
        >>> import io, pickle
        >>> read_pickle(io.BytesIO(pickle.dumps({3: (True, 'a')})), max_opcodes=20)
        [(3, (True, 'a'))]
    """
    stack: list = []
    memo: dict[int, Any] = {}
    for _ in range(max_opcodes):
        opcode = BY_CODE.get(file.read(1).decode('latin1'))
        if opcode is None:
            raise ValueError('it is not a pickle, or is truncated')
        if opcode.name not in OPCODES:
            raise ValueError(f'it has the opcode {opcode.name}, which no file of tensors needs')
        argument = None if opcode.arg is None else opcode.arg.reader(file)
        if opcode.name == 'STOP':
            return _pop(stack)
        if opcode.name == 'BINPERSID' and persistent_load is not None:
            stack.append(persistent_load(_pop(stack)))
        else:
            _execute(opcode.name, argument, stack, memo)
    raise ValueError(f'it has more opcodes than a file of that many tensors needs, {max_opcodes}')


def _execute(name: str, argument: Any, stack: list, memo: dict[int, Any]) -> None:
    if name in LITERALS:
        stack.append(argument)
    elif name in MAKERS:
        stack.append(MAKERS[name]())
    elif name in PUTS:
        memo[len(memo) if argument is None else argument] = _pop(stack[-1:])
    elif name in GETS:
        if argument not in memo:
            raise ValueError('it refers to a value that it does not hold')
        stack.append(memo[argument])
    elif name in TUPLES:
        stack.append(tuple(reversed([_pop(stack) for _ in range(TUPLES[name])])))
    elif name == 'TUPLE':
        stack.append(tuple(_pop_to_mark(stack)))
    elif name in ('APPEND', 'APPENDS'):
        items = [_pop(stack)] if name == 'APPEND' else _pop_to_mark(stack)
        _top(stack, list).extend(items)
    elif name in ('SETITEM', 'SETITEMS'):
        items = [_pop(stack), _pop(stack)][::-1] if name == 'SETITEM' else _pop_to_mark(stack)
        _top(stack, Pairs).extend(zip(items[::2], items[1::2]))
    elif name in ('GLOBAL', 'STACK_GLOBAL'):
        stack.append(_global(argument.split(' ', 1) if name == 'GLOBAL' else [_pop(stack), _pop(stack)][::-1]))
    elif name == 'REDUCE':
        arguments = _pop(stack)
        stack.append(_call(_pop(stack), arguments))
    elif name == 'MARK':
        stack.append(MARK)
    elif name == 'BINPERSID':
        raise ValueError('it refers to an external object')
    elif name == 'PROTO' and not 2 <= argument <= 5:
        raise ValueError(f'it has the pickle protocol {argument}, not 2 to 5')


def _pop(stack: list) -> Any:
    if not stack or stack[-1] is MARK:
        raise ValueError('it uses a value that it does not hold')
    return stack.pop()


def _pop_to_mark(stack: list) -> list:
    items = []
    while stack and stack[-1] is not MARK:
        items.append(stack.pop())
    if not stack:
        raise ValueError('it uses a value that it does not hold')
    stack.pop()
    return items[::-1]


def _top(stack: list, kind: type) -> Any:
    if not stack or type(stack[-1]) is not kind:
        raise ValueError('it adds an item to something other than a list or dict')
    return stack[-1]


def _global(parts: list) -> Global:
    if not all(type(part) is str and len(part) < 100 for part in parts):
        raise ValueError('it has an invalid function name')
    found = Global(*parts)
    if found not in GLOBALS:
        raise ValueError(f'it asks for `{found.module}.{found.name}`, which no file of tensors needs')
    return found


def _call(function: Any, arguments: Any) -> Any:
    if type(function) is not Global or type(arguments) is not tuple:
        raise ValueError('it calls something that is not a function')
    if function == ORDERED_DICT and arguments == ():
        return Pairs()
    if function == ENCODE and [type(value) for value in arguments] == [str, str] and arguments[1] == 'latin1':
        return arguments[0].encode('latin1')
    if function not in REBUILD:
        raise ValueError(f'it calls `{function.module}.{function.name}` as no file of tensors does')
    return Call(function, arguments)
