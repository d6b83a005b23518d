"""`shell.only` against command lines that run something else than they seem to."""

from __future__ import annotations

import random
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcop_policies.when.cannot import CannotJudgeError
from agentcop_policies.when.shell import only, programs_problem

if TYPE_CHECKING:
    from pathlib import Path

UNCLEAR = "unclear"
PROGRAMS = ["ls", "cat", "echo", "grep", "find", "printf", "cd", "git", "./build.sh", "/usr/bin/wc"]


def judge(command: str | list[str], programs: list[str] | None = None) -> bool | str:
    try:
        return only(command, PROGRAMS if programs is None else programs)
    except CannotJudgeError:
        return UNCLEAR


@pytest.mark.parametrize(
    "command",
    [
        "ls",
        "ls -la /tmp",
        "ls | grep foo | cat",
        "ls; cat x && echo y || echo z",
        "ls\ncat x\n",
        "ls & cat x",
        "echo 'rm -rf /; $(rm) `rm`'",
        'echo "a; rm -rf / && x | y"',
        "echo a\\;b",
        "echo $HOME ${HOME} $? $1",
        'echo "$(cat x)" `ls` $(ls | grep "$(cat y)")',
        "grep foo <(cat x)",
        "cat < notes.txt",
        'cat <<< "$x"',
        "ls 2>/dev/null",
        "ls >/dev/null 2>&1",
        "( ls; cat x )",
        "{ ls; cat x; }",
        "! grep -q foo x",
        "/usr/bin/wc -l",
        "./build.sh --fast",
        "env ls",
        "timeout 5 ls",
        "nice -n 10 nohup ls",
        "time ls",
        "command ls",
        "exec ls",
        "ls | xargs cat",
        "ls | xargs -0 -n 1 -I {} cat {}",
        "bash -c 'ls; cat x'",
        'sh -c "ls | grep foo"',
        "/bin/bash -c ls",
        "bash -c \"sh -c 'ls'\"",
        "find . -name '*.py' -exec cat {} \\;",
        "find . -type f -exec grep -l foo {} +",
        "printf '%s\\n' a",
        'printf "a\\n"',
        "cd /tmp; ls",
    ],
)
def test_a_command_of_listed_programs_is_allowed(command: str) -> None:
    assert judge(command) is True


@pytest.mark.parametrize(
    "command",
    [
        "rm",
        "ls; rm -rf /",
        "ls && rm x",
        "ls || rm x",
        "ls | rm",
        "ls |& rm",
        "ls & rm x",
        "ls\nrm x",
        "ls;rm x",
        "rm x; ls",
        "echo $(rm x)",
        "echo `rm x`",
        'echo "$(rm x)"',
        'echo "a`rm x`b"',
        "echo $(echo $(rm x))",
        "cat <(rm x)",
        "cat <(ls; rm x)",
        'cat <<< "$(rm x)"',
        "( rm x )",
        "{ rm x; }",
        "! rm x",
        "ls_all",
        "LS",
        "/tmp/ls",
        "./ls",
        "../build.sh",
        "bin/ls",
        "/usr/bin/ls",
        "/usr/bin/../../tmp/wc",
        "env rm x",
        "/tmp/env ls",
        "timeout 5 rm x",
        "nohup nice rm x",
        "command rm x",
        "exec rm x",
        "time rm x",
        "builtin rm",
        "ls | xargs rm",
        "ls | xargs -n 1 rm -rf",
        "bash -c 'rm x'",
        "bash -c 'ls; rm x'",
        "sh -c \"sh -c 'rm x'\"",
        "/tmp/bash -c ls",
        "sudo ls",
        "sudo rm x",
        "busybox rm x",
        "find . -exec rm {} \\;",
        "find . -name x -execdir rm {} +",
        "find . -exec cat {} \\; -exec rm {} \\;",
        "find . -ok rm {} ';'",
        "python3 -c 'x'",
        "awk 'BEGIN { system(\"rm x\") }'",
        "wc -l",
    ],
)
def test_a_command_that_runs_something_else_is_refused(command: str) -> None:
    assert judge(command) is False


@pytest.mark.parametrize(
    "command",
    [
        "",
        " \n",
        "# ls",
        "ls # rm",
        "\\ls",
        "\\rm x",
        "l\\s",
        "'ls'",
        '"ls"',
        "l's'",
        "l?",
        "/bin/l*",
        "$LS",
        "${LS}",
        "$(echo ls)",
        "`echo ls`",
        "$'ls'",
        '$"ls"',
        "{ls,-la}",
        "ls;{}",
        "~/ls",
        "PATH=. ls",
        "LD_PRELOAD=./x.so ls",
        "PATH=.",
        "PATH=.; ls",
        "export PATH=.",
        "declare -x PATH=.",
        "readonly x",
        "unset x",
        "eval ls",
        "eval 'rm x'",
        "source x",
        ". x",
        "alias ls=rm",
        "trap 'rm x' EXIT",
        "hash -p /tmp/x ls",
        "enable -f x ls",
        "set -e",
        "read PATH",
        "mapfile -C rm x",
        "coproc rm",
        "parallel rm",
        "watch rm",
        "printf -v PATH x",
        "printf $x",
        "ls() { rm x; }",
        "ls() { rm x; }; ls",
        "function ls { rm x; }",
        "if ls; then cat x; fi",
        "while ls; do cat x; done",
        "for PATH in .; do ls; done",
        "case x in x) ls;; esac",
        "select x in a; do ls; done",
        "[[ -v a[$(rm)] ]]",
        "[ -f x ] && ls",
        "(( x = 1 ))",
        "echo $((1 + 1))",
        "echo $((a[$(rm)]))",
        "echo $[1]",
        "echo ${x@P}",
        "echo ${!x}",
        "echo ${x:-$(rm)}",
        "echo ${x:=y}",
        "ls > x",
        "ls >> ~/.bashrc",
        "ls >| x",
        "ls &> x",
        "ls >& x",
        "ls <> x",
        "ls > /dev/null/../tcp/x",
        "ls > $x",
        "ls > >(rm x)",
        "cat < /dev/tcp/10.0.0.1/80",
        "cat < $x",
        "cat <<EOF\n$(rm x)\nEOF",
        "cat <<'EOF'\nx\nEOF\nrm x",
        "cat <<A <<B\nA\nB",
        "echo `echo \\`rm x\\``",
        "l\\\ns",
        "ls \\\n; rm x",
        "ls;\\ rm",
        "ls\n\\rm x",
        "ls\n\\ rm",
        "\\ ls",
        "ls x | command $ xargs rm",
        "ls\r\nrm x",
        "ls\0rm",
        "ls\u00a0x",
        "ls\u3000;rm",
        "ls\u200b",
        "ls\x0brm",
        "ls 'x",
        'ls "x',
        "ls (",
        "ls )",
        "ls; ;",
        "ls &&",
        "$(",
        "`",
        "env",
        "env -i ls",
        "env A=1 ls",
        "env PATH=. ls",
        "env -S 'rm x'",
        "timeout ls",
        "timeout -s KILL 5 ls",
        "nice -n",
        "time -o x ls",
        "command -v ls",
        "exec -a x ls",
        "exec > x",
        "xargs",
        "xargs -a x ls",
        "xargs -I% ls %",
        "ls | xargs sh -c 'cat $1'",
        "ls | xargs env",
        "ls | xargs env cat",
        "ls | xargs find",
        "ls | xargs $x",
        "bash",
        "bash x.sh",
        "bash -lc ls",
        "bash -c $x",
        'bash -c "$x"',
        "bash -c ls$x",
        "bash < x",
        "cat x | sh",
        "sh -s",
        "sudo -u root ls",
        "find . -exec sh -c 'rm {}' \\;",
        "find . -exec env rm {} \\;",
        "find . -exec",
        "find . -exec {} \\;",
        "find . $x",
        "find *",
        "find . -name *.py",
        "cd /tmp; ./build.sh",
        "cd /tmp && ls && ./build.sh",
        "(" * 9_000,
        "ls;" * 9_000,
    ],
)
def test_a_command_whose_text_does_not_settle_what_runs_has_no_answer(command: str) -> None:
    assert judge(command) == UNCLEAR


def test_shells_in_shells_are_followed_a_few_levels_and_no_further() -> None:
    command = "ls"
    answers = []
    for _ in range(6):
        command = f"sh -c {shlex.quote(command)}"
        answers.append(judge(command))

    assert answers[:2] == [True, True]
    assert answers[-1] == UNCLEAR


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        (["ls"], True),
        (["ls", "-la; rm x", "$(rm)", "| rm"], True),
        (["env", "ls"], True),
        (["bash", "-c", "ls; cat x"], True),
        (["find", ".", "-exec", "cat", "{}", ";"], True),
        (["rm"], False),
        (["/tmp/ls"], False),
        (["bash", "-c", "ls; rm x"], False),
        (["find", ".", "-exec", "rm", "{}", ";"], False),
        ([], UNCLEAR),
        (["ls -la"], UNCLEAR),
        (["ls\0"], UNCLEAR),
        (["env", "PATH=.", "ls"], UNCLEAR),
        (["bash", "x.sh"], UNCLEAR),
        (["eval", "ls"], UNCLEAR),
        (["ls", "x" * 20_000], UNCLEAR),
    ],
)
def test_an_argument_vector_is_read_by_no_shell(vector: list[str], expected: bool | str) -> None:
    assert judge(vector) == expected


def test_a_vector_of_other_things_than_text_has_no_answer() -> None:
    with pytest.raises(CannotJudgeError):
        only(["ls", 3], PROGRAMS)  # type: ignore[list-item]  # what CEL hands over for a mixed list


def test_listing_a_launcher_does_not_list_what_it_starts() -> None:
    listed = ["sudo", "bash", "env", "xargs", "ls"]

    assert judge("sudo ls", listed) is True
    assert judge("sudo rm x", listed) is False
    assert judge("bash -c 'rm x'", listed) is False
    assert judge("env rm", listed) is False
    assert judge("bash x.sh", listed) == UNCLEAR


def test_the_options_of_a_listed_program_are_trusted() -> None:
    # The limit that the module's docstring states: git runs what an alias says.
    assert judge("git -c alias.x=!sh x") is True


def test_no_reason_repeats_the_command() -> None:
    for command in ("hunter2=1 ls", "'hunter2'", "ls > hunter2", "bash hunter2", "eval hunter2", "ls ${hunter2@P}"):
        with pytest.raises(CannotJudgeError) as caught:
            only(command, PROGRAMS)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("program", ["", "ls -la", "l*", "'ls'", "ls;rm", "eval", "source", ".", "alias", "~/x", "a b"])
def test_a_program_that_can_never_be_allowed_is_a_problem_at_load(program: str) -> None:
    assert programs_problem(["ls", program])


@given(st.text(max_size=60))
def test_any_text_has_an_answer_or_none_and_never_crashes(text: str) -> None:
    assert judge(text) in (True, False, UNCLEAR)


PIECES = (
    *("ok", "ok", "bad", " ", " ", ";", "&&", "|", "&", "\n", "(", ")", "{ ", ";}", "$(", "`", "'", '"', "\\", "\\ "),
    *("#", "$", "${", "}", "=", "<", ">", "<(", "/dev/null", "1", "!", "[[", "]]", "*", "~", "time ", "env ", "exec "),
    *("command ", "xargs ", "sh -c ", "<<", "<<<", "EOF", "$'", "\\n", "\n\\", "\t", "é", "((", "))", "if ", "in "),
)
WHOLE = (
    *("ok a; ok b", "ok $(ok x) y", "ok 'a b' \"c d\" | ok", "ok `ok a` b", "env ok a", "sh -c 'ok a; ok b'"),
    *("( ok a ) && { ok; }", 'ok "$(ok "a")" c', "ok a\\ b; ok", 'ok <<< "a $x"', "ok ${x} 'it'\"s\"", "ok | xargs ok"),
)


def _line(chance: random.Random) -> str:
    """A command line of loose pieces, or a good one with some of them thrown in."""
    if chance.random() < 0.5:
        return "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 9)))
    line = list(chance.choice(WHOLE))
    for _ in range(chance.randint(1, 4)):
        line.insert(chance.randint(0, len(line)), chance.choice(PIECES))
    return "".join(line)


@pytest.mark.skipif(shutil.which("bash") is None, reason="asks the real bash")
def test_what_is_allowed_runs_nothing_else_in_the_real_bash(tmp_path: Path) -> None:
    programs, place, mark = tmp_path / "bin", tmp_path / "place", tmp_path / "mark"
    programs.mkdir()
    place.mkdir()
    for name, does in (("ok", ":"), ("bad", f"echo bad >> {mark}")):
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)
    for name in ("env", "xargs", "sh", "time"):
        found = shutil.which(name)
        if found is not None:
            (programs / name).symlink_to(found)
    bash = shutil.which("bash") or ""
    known = {
        "PATH": str(programs),
        "BASH_FUNC_command_not_found_handle%%": f'() {{ case $1 in time) ;; *) echo "$1" >> {mark};; esac; }}',
    }
    chance = random.Random(20)  # noqa: S311 -- the same lines in every run
    allowed = [line for line in (_line(chance) for _ in range(60_000)) if "bad" in line and judge(line, ["ok"]) is True]

    for line in allowed:
        subprocess.run(
            [bash, "-c", line],
            env=known,
            cwd=place,
            capture_output=True,
            timeout=20,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert not mark.exists(), (line, mark.read_text())
        assert list(place.iterdir()) == [], line

    assert len(allowed) > 50
