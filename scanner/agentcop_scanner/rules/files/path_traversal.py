"""Text from outside chooses a file.

## What it does
Follows arguments of tools and endpoints, replies of models and requests to `open`, `Path.read_text`, `os.remove`,
`shutil` and the like, where nothing shows that the path stays in a folder. A name that is joined to a folder counts
in every public function.

## Why is this bad?
`../` climbs out of the folder, and an absolute name replaces it: `Path('/data') / '/etc/passwd'` is `/etc/passwd`.
The agent reads keys, or overwrites its own code and settings.

## Example
    @tool
    def save(name: str, text: str) -> None:
        (ROOT / name).write_text(text)

## Use instead
    @tool
    def save(name: str, text: str) -> None:
        path = (ROOT / name).resolve()
        if not path.is_relative_to(ROOT):
            raise ValueError("outside the folder")
        path.write_text(text)

## References
- https://docs.python.org/3/library/pathlib.html#pathlib.PurePath.is_relative_to
- https://cwe.mitre.org/data/definitions/22.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC121",
    slug="path-traversal",
    severity="HIGH",
    cwe=(22,),
    asi=(2,),
    doc=__doc__,
    danger="path",
    sinks=(
        Sink(
            calls=("open", "io.open", "os.open", "aiofiles.open", "codecs.open", "gzip.open"), args=(0, "file", "path")
        ),
        Sink(
            calls=(
                "os.remove",
                "os.unlink",
                "os.rmdir",
                "os.removedirs",
                "os.listdir",
                "os.scandir",
                "os.chmod",
                "os.walk",
                "shutil.rmtree",
                "os.truncate",
                "shutil.unpack_archive",
            )
        ),
        Sink(
            calls=(
                "shutil.copy",
                "shutil.copy2",
                "shutil.copyfile",
                "shutil.copytree",
                "shutil.move",
                "os.rename",
                "os.replace",
                "os.link",
                "os.symlink",
            ),
            args=(0, 1, "src", "dst"),
        ),
        Sink(
            calls=(
                "pathlib.Path.open",
                "pathlib.Path.unlink",
                "pathlib.Path.rmdir",
                "pathlib.Path.rename",
                "pathlib.Path.replace",
                "pathlib.Path.touch",
                "pathlib.Path.iterdir",
                "pathlib.Path.symlink_to",
            ),
            args=(-1,),
        ),
        Sink(calls=(".read_text", ".write_text", ".read_bytes", ".write_bytes"), args=(-1,)),
        Sink(calls=("*.FileResponse", "*.send_file", "*.FileIO"), args=(0, "path")),
        Sink(
            calls=("numpy.save", "numpy.savetxt", "numpy.load", "numpy.loadtxt", "PIL.Image.open", "cv2.imread"),
            args=(0,),
        ),
        Sink(calls=("pandas.read_csv", "pandas.read_json", "pandas.read_excel", "pandas.read_parquet"), args=(0,)),
        Sink(calls=(".to_csv", ".to_excel", ".to_parquet", ".to_json"), args=(0, "path_or_buf"), looks="path"),
    ),
    whole={**at("HIGH", "tool endpoint model request upload"), **at("LOW", "content")},
    joined={**at("HIGH", "tool endpoint model request upload"), **at("MEDIUM", "public"), **at("LOW", "content")},
    cleaners=(
        "os.path.basename",
        "ntpath.basename",
        "posixpath.basename",
        "werkzeug.utils.secure_filename",
        "werkzeug.utils.safe_join",
        "werkzeug.security.safe_join",
        "flask.safe_join",
        "django.utils.text.get_valid_filename",
        "pathvalidate.sanitize_filename",
        "slugify.slugify",
        "urllib.parse.quote_plus",
        "base64.urlsafe_b64encode",
    ),
    message="{source} chooses the path of {sink}",
    fix="Resolve the path and refuse it unless it is_relative_to the folder.",
)
