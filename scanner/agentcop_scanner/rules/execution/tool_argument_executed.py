"""Text from outside is run as Python.

## What it does
Follows arguments of tools and endpoints, requests, file contents and the parameters of public functions to `eval`,
`exec`, `pandas.eval`, interpreters and the like. Text of a model is AC101; text behind a check that can be got
round is AC104.

## Why is this bad?
Whoever writes the text runs code with the rights of the agent: it reads keys, changes files and talks to whatever
the process can reach. A tool's arguments are written by a model, and a model writes what a web page or a mail has
told it to.

## Example
    @tool
    def calculate(expression: str) -> str:
        return str(eval(expression))

## Use instead
    @tool
    def calculate(expression: str) -> str:
        return str(ast.literal_eval(expression))  # literals only; for arithmetic, a parser of your own

## References
- https://docs.python.org/3/library/ast.html#ast.literal_eval
- https://cwe.mitre.org/data/definitions/95.html
- https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications/
"""

from __future__ import annotations

from agentcop_scanner.rule import Sink, TaintRule, at

RULE = TaintRule(
    id="AC102",
    slug="tool-argument-executed",
    severity="CRITICAL",
    cwe=(95, 94),
    asi=(5,),
    doc=__doc__,
    danger="code",
    sinks=(
        Sink(calls=("eval", "exec", "pandas.eval", "sympy.sympify")),
        Sink(
            calls=(
                "sympy.parsing.sympy_parser.parse_expr",
                "cexprtk.evaluate_expression",
                "execjs.eval",
                "js2py.eval_js",
            )
        ),
        Sink(calls=("IPython.get_ipython.run_cell", ".run_cell", ".runsource", ".runcode", ".run_code_in_process")),
        Sink(calls=("*.PythonREPL.run", "*.PythonAstREPLTool.run", "*.PythonREPLTool.run", "*.PythonInterpreter.run")),
        Sink(calls=(".eval", ".query"), receivers=frozenset({"df", "dataframe", "frame"})),
        Sink(calls=("timeit.timeit", "timeit.repeat", "cProfile.run", "code.InteractiveConsole.push")),
    ),
    whole={
        **at("CRITICAL", "tool endpoint request upload public"),
        **at("HIGH", "content unknown self"),
        **at("MEDIUM", "operator command"),
    },
    joined={
        **at("CRITICAL", "tool endpoint request upload public"),
        **at("HIGH", "content unknown self"),
        **at("MEDIUM", "operator command"),
    },
    cleaners=("ast.literal_eval", "shlex.quote"),
    message="{source} is run as Python by {sink}",
    fix="Parse the text instead of running it: ast.literal_eval for literals, a grammar of your own for expressions.",
)
