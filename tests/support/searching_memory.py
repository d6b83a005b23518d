"""A tool that looks for a text in all the memory that its process has."""

from __future__ import annotations

# Bytes are looked for one higher each: what is looked for is then not in the memory by being asked for.
SEARCH = """
    import gc
    HIGHER = bytes((byte + 1) % 256 for byte in range(256))
    def tool(higher):
        found = 0
        with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', buffering=0) as memory:
            for line in maps.read().splitlines():
                span, rights = line.split()[:2]
                if 'r' not in rights or line.endswith(('[vvar]', '[vsyscall]', '[vvar_vclock]')): continue
                start, end = (int(part, 16) for part in span.split('-'))
                memory.seek(start)
                try: found += memory.read(end - start).translate(HIGHER).count(higher)
                except OSError: continue
        return found
"""


def higher(text: str) -> bytes:
    """What `SEARCH` takes for that text."""
    return bytes(byte + 1 for byte in text.encode())
