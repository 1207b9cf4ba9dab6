"""LLVM IR of the thread team: one thread shares a loop, others that are awake join it without touching Python.

The state is a few int64 words, each on its own cache line where threads contend:

| word | meaning |
|---|---|
| 0 OWNER | 1 while a loop is shared; whoever finds it taken runs its loop alone |
| 8 GATE | odd while workers may join; it only grows, so a number is one loop |
| 16 INSIDE | workers in the loop |
| 24 NEXT | pieces taken, then those of them taken by workers |
| 32.. JOB | function, its argument, range, piece, number of pieces |
| 40 EXPECT | shared loops, and tables of kernels with such loops, that run now: workers do not tire meanwhile |
| 48 AWAKE | workers that do not sleep |
| 56 THREADS | threads that may work at once, the caller included |
| 57 STARTED | workers there are |
| 58 DEBT | grains of work done alone, since all slept, that others could have helped with |
| 59, 60 | CPython's functions that acquire and release a lock, without the GIL |
| 64.. WORKERS | of each worker: 0 while it sleeps or is about to, and the lock it sleeps on |

A worker counts itself into INSIDE before it looks at GATE a second time, and the owner shuts GATE before it looks at
INSIDE, all in one total order: either the worker sees it shut or the owner waits for it. So JOB is never changed under
a worker that reads it.

The owner takes pieces from the front and workers from the back, so each finds in its cache what it had there when
the same arrays come again.

Who changes a worker's word from 0 to 1 wakes it and owes its lock one release; a worker that changes it back itself
does not sleep.
"""

from __future__ import annotations

import platform
from string import Template

OWNER, GATE, INSIDE, NEXT, JOB, EXPECT, AWAKE = 0, 8, 16, 24, 32, 40, 48
THREADS, STARTED, DEBT, ACQUIRE, RELEASE, WORKERS = 56, 57, 58, 59, 60, 64
MOST = 256  # workers
WORDS = WORKERS + 2 * (MOST + 1)

PIECES_PER_THREAD = 4  # a thread that is held up leaves its share to the others
WORTH_WAKING = 32  # grains of work (2 to 5 us each) from which sleepers are woken; those awake join in less

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
  %job4 = getelementptr i64, ptr %job, i64 4
  %arg = load ptr, ptr %job1
  %n = load i64, ptr %job2
  %piece = load i64, ptr %job3
  %count = load i64, ptr %job4
  %last = sub i64 %count, 1
  br label %take
take:
  %mine = phi i64 [ 0, %pieces ], [ %own, %work ]
  %k = atomicrmw add ptr %next, i64 1 seq_cst
  %some = icmp slt i64 %k, %count
  br i1 %some, label %work, label %taken
work:
$which
  %from = mul i64 %at, %piece
  %end = add i64 %from, %piece
  %inner = icmp slt i64 %end, %n
  %to = select i1 %inner, i64 %end, i64 %n
  call void %f(i64 %from, i64 %to, ptr %arg)
  %own = add i64 %mine, 1
  br label %take
"""
_FRONT = "  %at = add i64 %mine, 0"
_BACK = """  %back = getelementptr i64, ptr %next, i64 1
  %before = atomicrmw add ptr %back, i64 1 seq_cst
  %at = sub i64 %last, %before"""

_WORDS = "\n".join(
    f"  %{name} = getelementptr i64, ptr %team, i64 {word}"
    for name, word in (
        ("gate", GATE), ("inside", INSIDE), ("next", NEXT), ("job", JOB), ("expect", EXPECT), ("awake", AWAKE),
        ("debt", DEBT), ("pthreads", THREADS),
    )
)  # fmt: skip

_WAKE = """
define internal void @wake_{kernel}(ptr %team) {
entry:
  %awake = getelementptr i64, ptr %team, i64 $AWAKE
  %pthreads = getelementptr i64, ptr %team, i64 $THREADS
  %pstarted = getelementptr i64, ptr %team, i64 $STARTED
  %prelease = getelementptr i64, ptr %team, i64 $RELEASE
  %threads = load i64, ptr %pthreads
  %helpers = sub i64 %threads, 1
  %started = load i64, ptr %pstarted
  %few = icmp slt i64 %started, %helpers
  %count = select i1 %few, i64 %started, i64 %helpers
  %release = load ptr, ptr %prelease
  br label %head
head:
  %k = phi i64 [ 0, %entry ], [ %more, %tail ]
  %some = icmp slt i64 %k, %count
  br i1 %some, label %look, label %done
look:
  %twice = shl i64 %k, 1
  %at = add i64 %twice, $WORKERS
  %state = getelementptr i64, ptr %team, i64 %at
  %seen = load atomic i64, ptr %state seq_cst, align 8
  %asleep = icmp eq i64 %seen, 0
  br i1 %asleep, label %try, label %tail
try:
  %pair = cmpxchg ptr %state, i64 0, i64 1 seq_cst seq_cst
  %won = extractvalue { i64, i1 } %pair, 1
  br i1 %won, label %wake, label %tail
wake:
  %counted = atomicrmw add ptr %awake, i64 1 seq_cst
  %plock = getelementptr i64, ptr %state, i64 1
  %lock = load ptr, ptr %plock
  call void %release(ptr %lock)
  br label %tail
tail:
  %more = add i64 %k, 1
  br label %head
done:
  ret void
}
"""

# Runs a function over a range, in pieces of at least `grain`, with those who are awake.
_SPREAD = """$declare
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
$wake
define internal void @spread_{kernel}(i64 %a0, i64 %a1, i64 %a2, i64 %a3, ptr %team) alwaysinline {
entry:
$words
  %grain = call i64 @llvm.smax.i64(i64 %a3, i64 1)
  %grains = sdiv i64 %a2, %grain
  %threads = load i64, ptr %pthreads
  %all = call i64 @llvm.smin.i64(i64 %threads, i64 %grains)
  %several = icmp sgt i64 %all, 1
  br i1 %several, label %others, label %alone
others:
  %up = load atomic i64, ptr %awake seq_cst, align 8
  %here = add i64 %up, 1
  %enough = icmp sge i64 %here, %all
  br i1 %enough, label %claim, label %owed
owed:
  %owe = atomicrmw add ptr %debt, i64 %grains seq_cst
  %sum = add i64 %owe, %grains
  %worth = icmp sge i64 %sum, $WORTH_WAKING
  br i1 %worth, label %rouse, label %rest
rouse:
  store atomic i64 0, ptr %debt seq_cst, align 8
  br label %claim
rest:
  %nobody = icmp eq i64 %up, 0
  br i1 %nobody, label %alone, label %claim
claim:
  %asleep = phi i1 [ false, %others ], [ true, %rouse ], [ false, %rest ]
  %pair = cmpxchg ptr %team, i64 0, i64 1 seq_cst seq_cst
  %free = extractvalue { i64, i1 } %pair, 1
  br i1 %free, label %open, label %alone
alone:
  %g = inttoptr i64 %a0 to ptr
  %x = inttoptr i64 %a1 to ptr
  call void %g(i64 0, i64 %a2, ptr %x)
  ret void
open:
  %share = sdiv i64 %grains, %all
  %each = call i64 @llvm.smin.i64(i64 %share, i64 $PIECES_PER_THREAD)
  %cut = mul i64 %each, %all
  %up1 = add i64 %a2, %cut
  %up2 = sub i64 %up1, 1
  %size = sdiv i64 %up2, %cut
  %up3 = add i64 %a2, %size
  %up4 = sub i64 %up3, 1
  %number = sdiv i64 %up4, %size
  %j1 = getelementptr i64, ptr %job, i64 1
  %j2 = getelementptr i64, ptr %job, i64 2
  %j3 = getelementptr i64, ptr %job, i64 3
  %j4 = getelementptr i64, ptr %job, i64 4
  %next1 = getelementptr i64, ptr %next, i64 1
  store i64 %a0, ptr %job
  store i64 %a1, ptr %j1
  store i64 %a2, ptr %j2
  store i64 %size, ptr %j3
  store i64 %number, ptr %j4
  store i64 0, ptr %next1
  store atomic i64 0, ptr %next seq_cst, align 8
  %expected = atomicrmw add ptr %expect, i64 1 seq_cst
  %opened = atomicrmw add ptr %gate, i64 1 seq_cst
  br i1 %asleep, label %alarm, label %pieces
alarm:
  call void @wake_{kernel}(ptr %team)
  br label %pieces
$front
taken:
  %shut = atomicrmw add ptr %gate, i64 1 seq_cst
  br label %wait
wait:
  %left = load atomic i64, ptr %inside seq_cst, align 8
  %busy = icmp ne i64 %left, 0
  br i1 %busy, label %spin, label %done
spin:
  $pause
  br label %wait
done:
  %finished = atomicrmw sub ptr %expect, i64 1 seq_cst
  store atomic i64 0, ptr %team seq_cst, align 8
  ret void
}
"""

# a: function, its argument, range, grain, address of the team's words
_SHARE = """$spread
define void @{kernel}(i64 %lo, i64 %hi, ptr %a) {
  %p1 = getelementptr i64, ptr %a, i64 1
  %p2 = getelementptr i64, ptr %a, i64 2
  %p3 = getelementptr i64, ptr %a, i64 3
  %p4 = getelementptr i64, ptr %a, i64 4
  %f = load i64, ptr %a
  %x = load i64, ptr %p1
  %n = load i64, ptr %p2
  %grain = load i64, ptr %p3
  %team = load ptr, ptr %p4
  call void @spread_{kernel}(i64 %f, i64 %x, i64 %n, i64 %grain, ptr %team)
  ret void
}
"""

# The same over 0..hi. a: a word that is not read, function, grain, address of the team's words; the function's argument
_PREFIXED = """$spread
define void @{kernel}(i64 %lo, i64 %hi, ptr %a) {
  %p1 = getelementptr i64, ptr %a, i64 1
  %p2 = getelementptr i64, ptr %a, i64 2
  %p3 = getelementptr i64, ptr %a, i64 3
  %p4 = getelementptr i64, ptr %a, i64 4
  %f = load i64, ptr %p1
  %grain = load i64, ptr %p2
  %team = load ptr, ptr %p3
  %x = ptrtoint ptr %p4 to i64
  call void @spread_{kernel}(i64 %f, i64 %x, i64 %hi, i64 %grain, ptr %team)
  ret void
}
"""

# lo is added to word hi. a: address of the team's words
_COUNT = """
define void @{kernel}(i64 %lo, i64 %hi, ptr %a) {
entry:
  %team = load ptr, ptr %a
  %word = getelementptr i64, ptr %team, i64 %hi
  %before = atomicrmw add ptr %word, i64 %lo seq_cst
  ret void
}
"""

# a: address of the team's words
_ROUSE = """
$wake
define void @{kernel}(i64 %lo, i64 %hi, ptr %a) {
entry:
  %team = load ptr, ptr %a
  call void @wake_{kernel}(ptr %team)
  ret void
}
"""

# Worker `lo` joins loops; it sleeps when it has looked `hi` times in vain and nobody expects it, and returns when
# there is no lock to sleep on. a: address of the team's words
_SERVE = """$declare
define void @{kernel}(i64 %lo, i64 %hi, ptr %a) {
entry:
  %team = load ptr, ptr %a
$words
  %twice = shl i64 %lo, 1
  %spot = add i64 %twice, $WORKERS
  %state = getelementptr i64, ptr %team, i64 %spot
  %plock = getelementptr i64, ptr %state, i64 1
  %pacquire = getelementptr i64, ptr %team, i64 $ACQUIRE
  br label %fresh
fresh:
  %latest = phi i64 [ 0, %entry ], [ %number, %out ], [ %number, %again ]
  br label %look
look:
  %idle = phi i64 [ 0, %fresh ], [ %more, %nothing ]
  %number = load atomic i64, ptr %gate seq_cst, align 8
  %bit = and i64 %number, 1
  %odd = icmp ne i64 %bit, 0
  %new = icmp ne i64 %number, %latest
  %go = and i1 %odd, %new
  br i1 %go, label %enter, label %nothing
nothing:
  $pause
  %tables = load atomic i64, ptr %expect seq_cst, align 8
  %none = icmp eq i64 %tables, 0
  %one = zext i1 %none to i64
  %more = add i64 %idle, %one
  %tired = icmp sge i64 %more, %hi
  br i1 %tired, label %drowse, label %look
drowse:
  %lock = load ptr, ptr %plock
  %useless = icmp eq ptr %lock, null
  br i1 %useless, label %done, label %lie
lie:
  %fewer = atomicrmw sub ptr %awake, i64 1 seq_cst
  store atomic i64 0, ptr %state seq_cst, align 8
  %late = load atomic i64, ptr %expect seq_cst, align 8
  %wanted = icmp ne i64 %late, 0
  br i1 %wanted, label %rise, label %sleep
rise:
  %pair = cmpxchg ptr %state, i64 0, i64 1 seq_cst seq_cst
  %up = extractvalue { i64, i1 } %pair, 1
  br i1 %up, label %stay, label %sleep
stay:
  %counted2 = atomicrmw add ptr %awake, i64 1 seq_cst
  br label %again
sleep:
  %acquire = load ptr, ptr %pacquire
  %got = call i32 %acquire(ptr %lock, i32 1)
  br label %again
again:
  br label %fresh
enter:
  %counted = atomicrmw add ptr %inside, i64 1 seq_cst
  %second = load atomic i64, ptr %gate seq_cst, align 8
  %same = icmp eq i64 %second, %number
  br i1 %same, label %pieces, label %taken
$back
taken:
  br label %out
out:
  %gone = atomicrmw sub ptr %inside, i64 1 seq_cst
  br label %fresh
done:
  ret void
}
"""


def texts() -> dict[str, str]:
    """The kernels' IR by name, `{kernel}` standing for their full names."""
    declare, pause = _pause()
    values = {k: v for k, v in globals().items() if k.isupper() and isinstance(v, int)}
    values |= {"declare": declare, "pause": pause, "words": _WORDS, "wake": Template(_WAKE).substitute(values)}
    values["front"] = Template(_PIECES).substitute(which=_FRONT)
    values["back"] = Template(_PIECES).substitute(which=_BACK)
    values["spread"] = Template(_SPREAD).substitute(values)
    found = {"share": _SHARE, "prefixed": _PREFIXED, "serve": _SERVE, "count": _COUNT, "rouse": _ROUSE}
    return {name: Template(text).substitute(values) for name, text in found.items()}
