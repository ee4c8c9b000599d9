"""Writes table.json: what Python's own `str.format_map` makes of templates, to compare SentryNet's templates with.

Run with Python 3.11: `python3.11 generate.py > table.json`.

Each case is filled twice. First with plain values, as `json.loads` gives them: that is Python's answer. Then with the
same values dressed in SentryNet's two documented differences, which Python itself can express:

* booleans and null are written as JSON has them, and a boolean is a number only for a number's type code;
* `{name.field}` reads a field of a mapping.

Where both answers are the same, the case has one. Where they are not, `differs` names the difference.
"""

import json
import sys

VALUES = {
    "s": "hello", "empty": "", "uni": "naïve ☃ 🎉", "quote": "it's", "both": "it's \"so\"", "double": 'say "x"',
    "lines": "a\nb\tc\\d\r\x00\x7f", "hidden": "a\u00adb\u2028c\u00a0d\ue000e\u0301f", "digits": "42", "brace": "{s}",
    "i": 42, "neg": -42, "zero": 0, "big": 9223372036854775807, "huge": 18446744073709551615, "min": -9223372036854775808,
    "million": 1234567, "letter": 9731, "toolarge": 1114112,
    "f": 3.14159, "one": 1.0, "nzero": -0.0, "e16": 1e16, "e15": 123456789012345.6, "em4": 0.0001, "em5": 0.00001,
    "third": 0.1, "sum": 0.30000000000000004, "max": 1.7976931348623157e308, "tiny": 5e-324, "half": 2.5, "fneg": -1234567.891,
    "tie": 0.125, "last": 474760.69515196956, "nines": 99999.95, "small": -0.0004,
    "t": True, "no": False, "null": None,
    "list": [1, "two", 3.0, None, True, [4, {"k": "v"}]], "nothing": [], "words": ["a", "b'c", 'd"e'],
    "map": {"name": "ann", "age": 7, "tags": ["x", "y"], "on": True, "0": "zero", "a b": "space", "deep": {"er": {"est": 1.5}}},
    "void": {}, "w": 10, "p": 3, "align": "^", "fill": "*", "spec": ">8", "a b": "spaced", "a-b": "dashed", "ü": "umlaut",
}


class Flag:
    """A boolean as JSON writes it."""

    def __init__(self, value):
        self.value = value

    def __repr__(self):
        return "true" if self.value else "false"

    def __format__(self, spec):
        return format(self.value, spec) if spec[-1:] in tuple("bcdeEfFgGnoxX%") else format(repr(self), spec)


class Null:
    """Null as JSON writes it."""

    def __repr__(self):
        return "null"


class Mapping(dict):
    """A mapping whose fields can be asked for behind a dot."""

    def __getattribute__(self, name):
        if name in self:
            return self[name]
        raise AttributeError(name)


def dress(value):
    if isinstance(value, bool):
        return Flag(value)
    if value is None:
        return Null()
    if isinstance(value, list):
        return [dress(each) for each in value]
    if isinstance(value, dict):
        return Mapping((key, dress(each)) for key, each in value.items())
    return value


TEXTS = ["s", "empty", "uni", "digits"]
INTEGERS = ["i", "neg", "zero", "million", "huge", "min"]
FLOATS = ["f", "one", "nzero", "e16", "em5", "max", "tiny", "half", "fneg", "tie", "nines", "small"]
EVERY = [
    "s", "empty", "uni", "quote", "both", "double", "lines", "hidden", "digits", "brace", "i", "neg", "zero", "big", "huge", "min",
    "f", "one", "nzero", "e16", "e15", "em4", "em5", "third", "sum", "last", "max", "tiny", "half", "fneg", "t", "no", "null",
    "list", "nothing", "words", "map", "void",
]
SPECS = [
    "10", "<10", ">10", "^10", "=10", "^11", "*^11", "☃>9", "010", "<010", "0=10", "x<05", "+", "-", " ", "+010", " 010", "#", "z",
    ",", "_", "015,", "012_", "013,", "014,", "*=+15,", ".3", ".0", ".10", "10.3", "<10.2", "03.1",
]
TEXT_SPECS = ["s", "10s", ".2s", ">8.3s", "05s", "^7s", "+s", "#s", "=8s", "d", "x", "f", "c", "n", "%", "{w}", "{fill}{align}{w}"]
INTEGER_SPECS = [
    "d", "5d", "05d", "<5d", "+d", " d", ",d", "_d", "b", "#b", "_b", "#012b", "o", "#o", "x", "#x", "X", "#X", "#_x", "020_b", "#020_x",
    "^#12x", "*>+12d", "n", "e", ".2e", "E", "f", ".1f", ",.2f", "g", ".3g", "%", ".1%", "s", "c", ".2d", "zd", "zf", "{w}d", "0{w}d",
]
FLOAT_SPECS = [
    "f", "F", ".0f", ".1f", ".2f", ".10f", "#.0f", "10.2f", "010.2f", "<10.2f", "+.1f", " .1f", ",.2f", "_.3f", "020,.2f", "021,.2f",
    "022,.2f", "e", "E", ".0e", "#.0e", ".3e", "015.2e", ",e", "g", "G", ".0g", ".1g", ".3g", ".10g", ".17g", "#g", "#.3g", ",g", "n", ".2n",
    "%", ".0%", ".1%", "#.0%", "+.2%", "010.1%", "z.0f", "z.1f", "zg", ".{p}f", "{w}.{p}f", "d", "x", "c", "s",
]
WRITTEN = [
    "", "plain", "{{", "}}", "{{}}", "{{s}}", "{{{s}}}", "{{{{{s}}}}}", "a{s}b{i}c", "{s}{s}", "ü{ü}ü", "{a b}", "{a-b}", "100%", "$.x[0]",
    "{s[0]}", "{s[4]}", "{s[5]}", "{uni[2]}", "{uni[6]}", "{s[-1]}", "{s[x]}", "{s[0][0]}",
    "{list[0]}", "{list[1]}", "{list[2]}", "{list[3]}", "{list[4]}", "{list[5]}", "{list[5][1]}", "{list[5][1][k]}", "{list[6]}",
    "{list[-1]}", "{list[x]}", "{list[00]}", "{list[ 0]}", "{list[0]:05d}", "{list[1]:>6}", "{list[1]!r:>6}", "{list[4]:d}", "{list[4]:5}",
    "{map[name]}", "{map[age]}", "{map[age]:03d}", "{map[tags]}", "{map[tags][1]}", "{map[on]}", "{map[0]}", "{map[00]}", "{map[a b]}",
    "{map[missing]}", "{map['name']}", "{map[deep][er][est]}", "{map[deep][er][est]:.3f}", "{map.name}", "{map.age:>4}", "{map.tags[0]}",
    "{map.deep.er.est}", "{map.deep[er].est}", "{map.on}", "{map.missing}", "{map.a b}", "{void.x}", "{void[x]}", "{nothing[0]}",
    "{s.missing}", "{i.missing}", "{null.x}", "{list.missing}", "{i[0]}", "{f[0]}", "{t[0]}", "{null[0]}", "{i[x]}", "{null[x]}",
    "{missing}", "{missing[0]}", "{missing!r}", "{missing:>5}", "{ s}", "{s }", "{S}", "{s[0}", "{s[]}", "{s.}", "{s..x}", "{s[0]x}",
    "{map[name]name}", "{map[na}me]}", "{map[!]}", "{map[:]}", "{map[{]}", "{}", "{0}", "{1}", "{:>5}", "{!r}", "{[0]}", "{.x}", "{0[x]}",
    "{", "}", "a{", "a}", "{s", "{s}}", "{{s}", "}{", "{s{", "{s{i}}", "{{s}}{", "{s!", "{s!}", "{s!r", "{s!rx}", "{s!x}", "{s!R}", "{s!!r}",
    "{s!r}}", "{s:", "{s:>", "{s:{", "{s:{w}", "{s:{w}}", "{s:{w}s}", "{s:>{w}}", "{s:{fill}{align}{w}}", "{s:{spec}}", "{s:{empty}}",
    "{s:{missing}}", "{s:{w:{p}}}", "{s:{w:>2}}", "{s:{w!r}}", "{s:{}}", "{s:{{}}}", "{s:}}", "{s!r:}", "{s!s:>10}", "{i!s:>10}", "{i!r:>10}",
    "{f!s:.3}", "{t!s}", "{t!r}", "{t!a}", "{t!s:>6}", "{null!s:>6}", "{null!r}", "{list!s:.10}", "{map!s:.12}", "{i!s:d}", "{i!s:05}",
    "{s!r:*^11}", "{uni!a}", "{uni!a:>40}", "{hidden!a}", "{lines!a}", "{words!a}", "{both!r}", "{quote!r}", "{double!r}",
    "{s:>>10}", "{s:<<<10}", "{s:ü^9}", "{s:}^9}", "{s:5.2}", "{s:.}", "{s:.s}", "{s:,}", "{s:_}", "{s:q}", "{s:10q}", "{s:ss}", "{s:1 0}",
    "{i:,_}", "{i:_,}", "{i:,,}", "{i:__}", "{i:.}", "{i:q}", "{i:dd}", "{i:,x}", "{i:,b}", "{i:,c}", "{i:,s}", "{i:,n}", "{i:_c}", "{i:+c}",
    "{i:#c}", "{i:.1c}", "{i:5c}", "{i:<5c}", "{i:^5c}", "{i:05c}", "{letter:c}", "{letter:>3c}", "{toolarge:c}", "{neg:c}", "{i:+-d}",
    "{i:99999999999999999999d}", "{i:0}", "{i:00}", "{i:#}", "{i:-}", "{i:+}", "{f:-}", "{max:%}", "{max:010%}", "{max:,%}",
    "{t:d}", "{t:5d}", "{t:05.1f}", "{t:x}", "{no:d}", "{t:>6}", "{t:<6}", "{t:^7}", "{t:s}", "{t:.2}", "{no:*>8}", "{t:%}",
    "{list:>5}", "{map:s}", "{null:5}", "{null:s}", "{void:d}", "{null:}", "{list:}", "{map:}",
    '{{"id": {i}, "ok": {t}, "name": "{s}"}}', "/things/{i}?page={w}&q={s}", "Bearer {s}", "{s}:{i:05d}:{f:.2f}",
]


def templates():
    yield from WRITTEN
    for name in EVERY:
        yield from (f"{{{name}}}", f"{{{name}!s}}", f"{{{name}!r}}", f"{{{name}!a}}", f"a {{{name}}} b")
    for names, specs in (
        (TEXTS, SPECS + TEXT_SPECS),
        (INTEGERS, SPECS + INTEGER_SPECS),
        (FLOATS, SPECS + FLOAT_SPECS),
        (["t"], SPECS),
    ):
        for spec in specs:
            for name in names:
                yield f"{{{name}:{spec}}}"


def fill(template, values):
    try:
        return {"text": template.format_map(values)}
    except Exception as error:
        return {"error": type(error).__name__}


def case(template):
    python, ours = fill(template, VALUES), fill(template, {key: dress(value) for key, value in VALUES.items()})
    if python == ours:
        return {"template": template, **python}
    return {"template": template, **ours, "differs": "field" if "." in template.split(":")[0] else "JSON", "python": python}


def main():
    if sys.version_info[:2] != (3, 11):
        sys.exit("the table is Python 3.11's")
    line = lambda value: json.dumps(value, ensure_ascii=True)
    keys = ",\n".join(f"    {line(key)}: {line(value)}" for key, value in VALUES.items())
    cases = ",\n".join(f"    {line(case(template))}" for template in dict.fromkeys(templates()))
    print(f'{{\n  "keys": {{\n{keys}\n  }},\n  "cases": [\n{cases}\n  ]\n}}')


main()
