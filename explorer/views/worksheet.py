"""A worksheet as a page to print: self-contained HTML, Markdown or LaTeX, with the questions or with the answers."""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from explorer.lessons.question import Question
from explorer.lessons.worksheet import Worksheet
from explorer.views import formatting as fmt

TOPICS = {
    "reduction": "1×1 reduction",
    "auxiliary": "Auxiliary classifiers",
    "which_googlenet": "Which GoogLeNet?",
    "receptive_field": "Receptive field",
}
LETTERS = "ABCD"
CONVENTION = (
    "Parameters are trainable numbers; MACs are multiply-accumulates of convolutions and fully connected layers for "
    "one image; FLOPs = 2 × MACs."
)


def option(question: Question, place: int) -> str:
    """Return one option as printed: ``B  50,688 weights``."""
    return f"{LETTERS[place]}  {fmt.exact(question.options[place])} {question.unit}"


def solution(question: Question) -> str:
    """Return the answer to a question: letter, formula with its result, and the reason."""
    worked = f"{question.formula} = {fmt.exact(question.value)} {question.unit}"
    return f"{LETTERS[question.correct_index]}: {worked}. {question.why}"


def mistakes(question: Question) -> Iterator[str]:
    """Yield the mistake behind each wrong option: ``A: forgot the input channels``."""
    for place, mistake in enumerate(question.mistakes):
        if mistake:
            yield f"{LETTERS[place]}: {mistake}"


def to_html(sheet: Worksheet, *, key: bool) -> str:
    """Return a self-contained page, laid out for paper."""
    items = "".join(f"<li>{_html_item(question, key)}</li>" for question in sheet.questions)
    name = "" if key else "<p>Name ______________________________ &nbsp; Date ______________</p>"
    end = f"<p class=about>{escape(CONVENTION)}</p>" if key else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_title(key)}</title><style>{_CSS}</style>'
        f"<h1>{_title(key)}</h1><p class=about>{escape(_description(sheet, key))}</p>{name}<ol>{items}</ol>"
        f"{end}</html>"
    )


def class_html(sheets: Sequence[Worksheet], *, key: bool) -> str:
    """Return the different worksheets of a class in one file to print, each on its own pages and with its number.

    With ``key`` it is one answer key for all of them: a table with a row for each sheet.
    """
    if key:
        heads = "".join(f"<th>{number}</th>" for number in range(1, max(len(s.questions) for s in sheets) + 1))
        rows = "".join(
            f"<tr><th>{number}</th>{''.join(f'<td>{LETTERS[q.correct_index]}</td>' for q in sheet.questions)}</tr>"
            for number, sheet in enumerate(sheets, start=1)
        )
        body = f"<table><tr><th>sheet</th>{heads}</tr>{rows}</table>"
        about = f"<p class=about>{escape(_description(sheets[0], key=True))}</p>"
        return _document(f"<h1>{_title(key)} for {len(sheets)} worksheets</h1>{about}{body}", key)
    name = "<p>Name ______________________________ &nbsp; Date ______________</p>"
    pages = (
        f"<section><h1>{_title(key)} {number}</h1><p class=about>{escape(_description(sheet, key=False))}</p>{name}"
        f"<ol>{''.join(f'<li>{_html_item(question, key=False)}</li>' for question in sheet.questions)}</ol></section>"
        for number, sheet in enumerate(sheets, start=1)
    )
    return _document("".join(pages), key)


def _document(body: str, key: bool) -> str:
    head = f'<meta charset="utf-8"><title>{_title(key)}</title><style>{_CSS}</style>'
    return f'<!doctype html><html lang="en">{head}{body}</html>'


_CSS = (
    "body{font:12pt/1.45 sans-serif;max-width:18cm;margin:1.5cm auto;padding:0 1cm}h1{font-size:18pt}"
    "li{margin:0 0 1.1em;break-inside:avoid}.options{display:grid;grid-template-columns:1fr 1fr;gap:.2em 1em;"
    "margin-top:.3em}.work{height:2.2cm;border-bottom:1px dotted #888}.about{color:#444;font-size:10pt}"
    "table{border-collapse:collapse}th,td{border:1px solid #888;padding:.15em .5em;text-align:center}"
    "section{break-after:page}@media print{body{margin:0}}"
)


def _html_item(question: Question, key: bool) -> str:
    if key:
        wrong = "".join(f"<li>{escape(line)}</li>" for line in mistakes(question))
        return f"{escape(question.text)}<br><b>{escape(solution(question))}</b><ul class=about>{wrong}</ul>"
    options = "".join(f"<span>{escape(option(question, place))}</span>" for place in range(len(LETTERS)))
    return f"{escape(question.text)}<div class=options>{options}</div><div class=work></div>"


def to_markdown(sheet: Worksheet, *, key: bool) -> str:
    """Return the sheet as Markdown."""
    lines = [f"# {_title(key)}", "", _description(sheet, key), ""]
    for number, question in enumerate(sheet.questions, 1):
        lines += [f"{number}. {question.text}", ""]
        rest = [f"**{solution(question)}**", *mistakes(question)] if key else _options(question)
        lines += [*(f"   - {line}" for line in rest), ""]
    return "\n".join([*lines, *([CONVENTION, ""] if key else [])])


def _options(question: Question) -> list[str]:
    return [option(question, place) for place in range(len(LETTERS))]


def to_latex(sheet: Worksheet, *, key: bool) -> str:
    """Return a LaTeX document that needs only packages of every distribution."""
    lines = [
        r"\documentclass[11pt,a4paper]{article}",
        r"\usepackage[T1]{fontenc}",
        r"\usepackage[utf8]{inputenc}",
        r"\usepackage{textcomp}",
        r"\usepackage[margin=2.2cm]{geometry}",
        r"\begin{document}",
        rf"\section*{{{tex(_title(key))}}}",
        tex(_description(sheet, key)),
        r"\begin{enumerate}",
    ]
    for question in sheet.questions:
        rest = [solution(question), *mistakes(question)] if key else _options(question)
        lines += [rf"\item {tex(question.text)}", r"\begin{itemize}"]
        lines += [rf"\item[] {tex(line)}" for line in rest]
        lines += [r"\end{itemize}", *([] if key else [r"\vspace{1.8cm}"])]
    return "\n".join([*lines, r"\end{enumerate}", *([tex(CONVENTION)] if key else []), r"\end{document}", ""])


_TEX = {
    **{sign: f"\\{sign}" for sign in "#$%&_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "÷": r"$\div$",
    "−": r"$-$",
    "→": r"$\rightarrow$",
    "γ": r"$\gamma$",
    "β": r"$\beta$",
    "≈": r"$\approx$",
    "“": "``",
    "”": "''",
    "—": "---",
    "–": "--",
}


def tex(text: str) -> str:
    """Return text with every special character escaped for LaTeX."""
    return "".join(_TEX.get(character, character) for character in text)


def _title(key: bool) -> str:
    return "GoogLeNet: answer key" if key else "GoogLeNet: worksheet"


def _description(sheet: Worksheet, key: bool) -> str:
    """Return what the sheet is about. Only the key has the seed, from which anybody can make the key again."""
    topics = dict.fromkeys(TOPICS[question.topic] for question in sheet.questions)
    seed = f" Seed {sheet.seed}." if key else ""
    return f"Network: {sheet.network}. Lessons: {', '.join(topics)}.{seed}"


class Format(NamedTuple):
    """A way to write a worksheet: the function, the file's ending, and its media type."""

    render: Callable[..., str]
    suffix: str
    mime: str


FORMATS = {
    "HTML": Format(to_html, "html", "text/html"),
    "Markdown": Format(to_markdown, "md", "text/markdown"),
    "LaTeX": Format(to_latex, "tex", "application/x-tex"),
}
