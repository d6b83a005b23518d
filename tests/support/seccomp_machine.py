"""The kernel's side of a seccomp filter: a classic BPF program and the data of a system call in, its answer out."""

from __future__ import annotations

import struct

X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003
_MASK = 0xFFFFFFFF


def answer(program: bytes, machine: int, number: int, *arguments: int) -> int:
    """What the filter returns for this call. Fails the test where the kernel would refuse the program."""
    six = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<IIQ6Q", number & _MASK, machine, 0, *(argument & (1 << 64) - 1 for argument in six))
    code = list(struct.iter_unpack("<HBBI", program))
    at, accumulator = 0, 0
    while True:
        operation, if_true, if_false, operand = code[at]
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x54:
            accumulator &= operand
        elif operation == 0x15:
            at += if_true if accumulator == operand else if_false
        elif operation == 0x35:
            at += if_true if accumulator >= operand else if_false
        else:
            assert operation == 0x06, hex(operation)
            return int(operand)
