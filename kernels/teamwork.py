"""LLVM IR of the thread team: one thread shares a loop, others that are awake join it without touching Python.

The state is a few int64 words, each on its own cache line where threads contend:

| word | meaning |
|---|---|
| 0 OWNER | 1 while a loop is shared; whoever finds it taken runs its loop alone |
| 8 GATE | odd while workers may join; it only grows, so a number is one loop |
| 16 INSIDE | workers in the loop |
| 24 NEXT | the next piece |
| 32.. JOB | function, its argument, range, piece |
| 40 EXPECT | shared loops, and tables of kernels with such loops, that run now: workers do not tire meanwhile |

A worker counts itself into INSIDE before it looks at GATE a second time, and the owner shuts GATE before it looks at
INSIDE, all in one total order: either the worker sees it shut or the owner waits for it. So JOB is never changed under
a worker that reads it.
"""

from __future__ import annotations

import platform

WORDS = 48
OWNER, GATE, INSIDE, NEXT, JOB, EXPECT = 0, 8, 16, 24, 32, 40

_PAUSE = {
    "x86_64": "declare void @llvm.x86.sse2.pause()\n", "AMD64": "declare void @llvm.x86.sse2.pause()\n",
    "aarch64": "declare void @llvm.aarch64.hint(i32)\n", "arm64": "declare void @llvm.aarch64.hint(i32)\n",
}  # fmt: skip


def _pause() -> tuple[str, str]:
    """Declaration and call of the instruction that says "I am spinning"; nothing where it is not known."""
    declaration = _PAUSE.get(platform.machine(), "")
    if "pause" in declaration:
        return declaration, "call void @llvm.x86.sse2.pause()"
    return declaration, "call void @llvm.aarch64.hint(i32 1)" if declaration else ""


_PIECES = """
pieces:
  %f = load ptr, ptr %job
  %job1 = getelementptr i64, ptr %job, i64 1
  %job2 = getelementptr i64, ptr %job, i64 2
  %job3 = getelementptr i64, ptr %job, i64 3
  %arg = load ptr, ptr %job1
  %n = load i64, ptr %job2
  %piece = load i64, ptr %job3
  br label %take
take:
  %k = atomicrmw add ptr %next, i64 1 seq_cst
  %from = mul i64 %k, %piece
  %some = icmp slt i64 %from, %n
  br i1 %some, label %work, label %taken
work:
  %end = add i64 %from, %piece
  %inner = icmp slt i64 %end, %n
  %to = select i1 %inner, i64 %end, i64 %n
  call void %f(i64 %from, i64 %to, ptr %arg)
  br label %take
"""

_WORDS = f"""
  %gate = getelementptr i64, ptr %team, i64 {GATE}
  %inside = getelementptr i64, ptr %team, i64 {INSIDE}
  %next = getelementptr i64, ptr %team, i64 {NEXT}
  %job = getelementptr i64, ptr %team, i64 {JOB}
  %expect = getelementptr i64, ptr %team, i64 {EXPECT}
"""

# a: function, its argument, range, piece, address of the team's words
_SHARE = """{declare}
define void @{{kernel}}(i64 %lo, i64 %hi, ptr %a) {{
entry:
  %p1 = getelementptr i64, ptr %a, i64 1
  %p2 = getelementptr i64, ptr %a, i64 2
  %p3 = getelementptr i64, ptr %a, i64 3
  %p4 = getelementptr i64, ptr %a, i64 4
  %a0 = load i64, ptr %a
  %a1 = load i64, ptr %p1
  %a2 = load i64, ptr %p2
  %a3 = load i64, ptr %p3
  %team = load ptr, ptr %p4
{words}
  %pair = cmpxchg ptr %team, i64 0, i64 1 seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %mine, label %open, label %alone
alone:
  %g = inttoptr i64 %a0 to ptr
  %x = inttoptr i64 %a1 to ptr
  call void %g(i64 0, i64 %a2, ptr %x)
  ret void
open:
  %j1 = getelementptr i64, ptr %job, i64 1
  %j2 = getelementptr i64, ptr %job, i64 2
  %j3 = getelementptr i64, ptr %job, i64 3
  store i64 %a0, ptr %job
  store i64 %a1, ptr %j1
  store i64 %a2, ptr %j2
  store i64 %a3, ptr %j3
  store atomic i64 0, ptr %next seq_cst, align 8
  %expected = atomicrmw add ptr %expect, i64 1 seq_cst
  %opened = atomicrmw add ptr %gate, i64 1 seq_cst
  br label %pieces
{pieces}
taken:
  %shut = atomicrmw add ptr %gate, i64 1 seq_cst
  br label %wait
wait:
  %left = load atomic i64, ptr %inside seq_cst, align 8
  %busy = icmp ne i64 %left, 0
  br i1 %busy, label %spin, label %done
spin:
  {pause}
  br label %wait
done:
  %finished = atomicrmw sub ptr %expect, i64 1 seq_cst
  store atomic i64 0, ptr %team seq_cst, align 8
  ret void
}}
"""

# lo is added to EXPECT. a: address of the team's words
_EXPECT = """
define void @{{kernel}}(i64 %lo, i64 %hi, ptr %a) {{
entry:
  %team = load ptr, ptr %a
  %expect = getelementptr i64, ptr %team, i64 {expect}
  %before = atomicrmw add ptr %expect, i64 %lo seq_cst
  ret void
}}
"""

# Joins loops until it has looked `hi` times in vain and nobody expects it. a: address of the team's words
_SERVE = """{declare}
define void @{{kernel}}(i64 %lo, i64 %hi, ptr %a) {{
entry:
  %team = load ptr, ptr %a
{words}
  br label %fresh
fresh:
  %last = phi i64 [ 0, %entry ], [ %number, %out ]
  br label %look
look:
  %idle = phi i64 [ 0, %fresh ], [ %more, %nothing ]
  %number = load atomic i64, ptr %gate seq_cst, align 8
  %bit = and i64 %number, 1
  %odd = icmp ne i64 %bit, 0
  %new = icmp ne i64 %number, %last
  %go = and i1 %odd, %new
  br i1 %go, label %enter, label %nothing
nothing:
  {pause}
  %tables = load atomic i64, ptr %expect seq_cst, align 8
  %none = icmp eq i64 %tables, 0
  %one = zext i1 %none to i64
  %more = add i64 %idle, %one
  %tired = icmp sge i64 %more, %hi
  br i1 %tired, label %done, label %look
enter:
  %counted = atomicrmw add ptr %inside, i64 1 seq_cst
  %again = load atomic i64, ptr %gate seq_cst, align 8
  %same = icmp eq i64 %again, %number
  br i1 %same, label %pieces, label %taken
{pieces}
taken:
  br label %out
out:
  %gone = atomicrmw sub ptr %inside, i64 1 seq_cst
  br label %fresh
done:
  ret void
}}
"""


def texts() -> dict[str, str]:
    """The kernels' IR by name, `{kernel}` standing for their full names."""
    declare, pause = _pause()
    parts = {"declare": declare, "pause": pause, "words": _WORDS, "pieces": _PIECES, "expect": EXPECT}
    return {name: text.format(**parts) for name, text in (("share", _SHARE), ("serve", _SERVE), ("expect", _EXPECT))}
