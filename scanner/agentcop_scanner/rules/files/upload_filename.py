"""The name that a client gave an upload chooses a file.

## What it does
Follows `UploadFile.filename`, the file name of a download, and the names in an archive to `open`,
`Path.write_bytes` and the like.

## Why is this bad?
The name is text that the other side wrote: it may hold `../`, an absolute path, or the name of a file that is
already there.

## Example
    path = folder / upload.filename
    path.write_bytes(await upload.read())

## Use instead
    path = folder / f"{uuid4()}{Path(upload.filename).suffix}"
    path.write_bytes(await upload.read())

## References
- https://cwe.mitre.org/data/definitions/22.html
- https://cwe.mitre.org/data/definitions/73.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import TaintRule, at

RULE = TaintRule(
    id="AC122",
    slug="upload-filename",
    severity="HIGH",
    cwe=(22, 73),
    asi=(2,),
    doc=__doc__,
    danger="path",
    shares="AC121",
    whole=at("HIGH", "upload"),
    joined=at("HIGH", "upload"),
    message="{source} chooses the path of {sink}",
    fix="Choose the name yourself, or keep os.path.basename of it and check that the result is inside the folder.",
)
