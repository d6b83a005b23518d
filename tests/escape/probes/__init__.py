"""What is tried. The files of this folder run in the box, on the standard library alone, as the tool of one call.

A file is a theme, each public function in it a probe: `def name(tries: Tries, ...)`, whose docstring says what is tried
and whose other parameters are named things of the host (see `scene`). It tries the thing and notes what came of it;
whether that is an escape is said on the host, by `suite`.
"""
