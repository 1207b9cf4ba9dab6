"""LLVM IR of the functions that `entry` binds: they read NumPy's and CPython's objects as their C headers lay them out.

In NumPy's array object lie, in bytes from its start: 8 type, 16 data, 24 ndim, 32 shape, 56 dtype, 64 flags (1 says
C-contiguous, 256 aligned). `addresses` checks the first of these on an array, and `tests/kernels/test_entry.py` all.
"""

FUNCTIONS = {
    "PyLong_AsUnsignedLongLongMask": "i64 (ptr)", "PyFloat_AsDouble": "double (ptr)", "PyErr_Occurred": "ptr ()",
    "PyErr_BadArgument": "i32 ()", "PyEval_SaveThread": "ptr ()", "PyEval_RestoreThread": "void (ptr)",
    "Py_IncRef": "void (ptr)",
}  # fmt: skip
OBJECTS = ("None", "True", "False", "ndarray")
WORDS = len(FUNCTIONS) + len(OBJECTS) + 4  # what is told, then the addresses of call, launch, point and the count


def _api() -> str:
    """CPython's functions as ours, through addresses that a process is told; so none stands in the cached object."""
    lines = []
    for name, kind in FUNCTIONS.items():
        result, _, parameter = kind[:-1].partition(" (")
        given = f"{parameter} %x" if parameter else ""
        back = "ret void" if result == "void" else f"ret {result} %y"
        lines.append(f"""
@at.{name} = internal global ptr null
define internal {result} @{name}({given}) alwaysinline {{
  %f = load ptr, ptr @at.{name}
  {"" if result == "void" else "%y = "}call {result} %f({given})
  {back}
}}""")
    for name in OBJECTS:
        lines.append(f"""
@at.{name} = internal global ptr null
define internal ptr @give.{name}() alwaysinline {{
  %x = load ptr, ptr @at.{name}
  call void @Py_IncRef(ptr %x)
  ret ptr %x
}}""")
    return "\n".join(lines)


def _told() -> str:
    """The exported function: takes the addresses from `a`, and puts those of ours behind them."""
    lines = ["define void @{kernel}(i64 %lo, i64 %hi, ptr %a) {"]
    names = [*FUNCTIONS, *OBJECTS]
    for k, name in enumerate(names):
        lines += [f"  %p{k} = getelementptr i64, ptr %a, i64 {k}", f"  %w{k} = load ptr, ptr %p{k}",
                  f"  store ptr %w{k}, ptr @at.{name}"]  # fmt: skip
    for k, name in enumerate(("call", "launch", "point", "launches"), len(names)):
        lines += [f"  %p{k} = getelementptr i64, ptr %a, i64 {k}", f"  store ptr @{name}, ptr %p{k}"]
    return "\n".join([*lines, "  ret void", "}"])


_COMMON = """
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
@launches = internal global i64 0

define internal i1 @is_array(ptr %x) alwaysinline {
  %at = getelementptr i8, ptr %x, i64 8
  %type = load ptr, ptr %at
  %wanted = load ptr, ptr @at.ndarray
  %same = icmp eq ptr %type, %wanted
  ret i1 %same
}
"""

# self: address of the kernel; args: lo, hi, address of the packed arguments
_CALL = """
define internal ptr @call(ptr %self, ptr %args, i64 %n) {
entry:
  %three = icmp eq i64 %n, 3
  br i1 %three, label %good, label %bad
bad:
  %refused = call i32 @PyErr_BadArgument()
  ret ptr null
good:
  %at1 = getelementptr ptr, ptr %args, i64 1
  %at2 = getelementptr ptr, ptr %args, i64 2
  %x0 = load ptr, ptr %args
  %x1 = load ptr, ptr %at1
  %x2 = load ptr, ptr %at2
  %fw = call i64 @PyLong_AsUnsignedLongLongMask(ptr %self)
  %lo = call i64 @PyLong_AsUnsignedLongLongMask(ptr %x0)
  %hi = call i64 @PyLong_AsUnsignedLongLongMask(ptr %x1)
  %aw = call i64 @PyLong_AsUnsignedLongLongMask(ptr %x2)
  %error = call ptr @PyErr_Occurred()
  %fine = icmp eq ptr %error, null
  br i1 %fine, label %run, label %failed
failed:
  ret ptr null
run:
  %f = inttoptr i64 %fw to ptr
  %a = inttoptr i64 %aw to ptr
  %state = call ptr @PyEval_SaveThread()
  call void %f(i64 %lo, i64 %hi, ptr %a)
  call void @PyEval_RestoreThread(ptr %state)
  %none = call ptr @give.None()
  ret ptr %none
}
"""

# self: address of a record (kernel, extent, limit, words, operands; position and kind of each; the words)
_LAUNCH = """
define internal ptr @launch(ptr %self, ptr %args, i64 %n) {
entry:
  %rw = call i64 @PyLong_AsUnsignedLongLongMask(ptr %self)
  %r = inttoptr i64 %rw to ptr
  %r1 = getelementptr i64, ptr %r, i64 1
  %r2 = getelementptr i64, ptr %r, i64 2
  %r3 = getelementptr i64, ptr %r, i64 3
  %r4 = getelementptr i64, ptr %r, i64 4
  %r5 = getelementptr i64, ptr %r, i64 5
  %f = load ptr, ptr %r
  %fixed = load i64, ptr %r1
  %limit = load i64, ptr %r2
  %size = load i64, ptr %r3
  %operands = load i64, ptr %r4
  %all = icmp eq i64 %n, %operands
  br i1 %all, label %fill, label %bad
bad:
  %refused = call i32 @PyErr_BadArgument()
  ret ptr null
fill:
  %twice = mul i64 %operands, 2
  %template = getelementptr i64, ptr %r5, i64 %twice
  %words = alloca i64, i64 %size
  %bytes = mul i64 %size, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %words, ptr %template, i64 %bytes, i1 false)
  br label %operand
operand:
  %k = phi i64 [ 0, %fill ], [ %k1, %placed ]
  %extent = phi i64 [ %fixed, %fill ], [ %extent1, %placed ]
  %first = phi ptr [ null, %fill ], [ %first1, %placed ]
  %some = icmp slt i64 %k, %n
  br i1 %some, label %next, label %run
next:
  %xat = getelementptr ptr, ptr %args, i64 %k
  %x = load ptr, ptr %xat
  %k2 = mul i64 %k, 2
  %pat = getelementptr i64, ptr %r5, i64 %k2
  %kat = getelementptr i64, ptr %pat, i64 1
  %position = load i64, ptr %pat
  %kind = load i64, ptr %kat
  switch i64 %kind, label %typed [
    i64 1, label %real
    i64 2, label %integer
    i64 3, label %any
  ]
real:
  %v = call double @PyFloat_AsDouble(ptr %x)
  %vb = bitcast double %v to i64
  %minus = fcmp oeq double %v, -1.0
  br i1 %minus, label %check, label %placed
integer:
  %i = call i64 @PyLong_AsUnsignedLongLongMask(ptr %x)
  %ones = icmp eq i64 %i, -1
  br i1 %ones, label %check, label %placed
check:
  %number = phi i64 [ %vb, %real ], [ %i, %integer ]
  %error = call ptr @PyErr_Occurred()
  %fine = icmp eq ptr %error, null
  br i1 %fine, label %placed, label %failed
failed:
  ret ptr null
any:
  %isa = call i1 @is_array(ptr %x)
  br i1 %isa, label %locate, label %unfit
typed:
  %ist = call i1 @is_array(ptr %x)
  br i1 %ist, label %look, label %unfit
look:
  %dat = getelementptr i8, ptr %x, i64 56
  %dtype = load i64, ptr %dat
  %free = icmp slt i64 %kind, 0
  %negated = sub i64 0, %kind
  %wanted = select i1 %free, i64 %negated, i64 %kind
  %right = icmp eq i64 %dtype, %wanted
  %fat = getelementptr i8, ptr %x, i64 64
  %flags = load i32, ptr %fat
  %two = and i32 %flags, 257
  %both = icmp eq i32 %two, 257
  %good = and i1 %right, %both
  %nat = getelementptr i8, ptr %x, i64 24
  %ndim = load i32, ptr %nat
  %sat = getelementptr i8, ptr %x, i64 32
  %shape = load ptr, ptr %sat
  br i1 %good, label %shaped, label %unfit
shaped:
  br i1 %free, label %locate, label %compare
compare:
  %leads = icmp eq ptr %first, null
  %lead = select i1 %leads, ptr %x, ptr %first
  %lnat = getelementptr i8, ptr %lead, i64 24
  %lndim = load i32, ptr %lnat
  %lsat = getelementptr i8, ptr %lead, i64 32
  %lshape = load ptr, ptr %lsat
  %level = icmp eq i32 %ndim, %lndim
  br i1 %level, label %axis, label %unfit
axis:
  %d = phi i32 [ 0, %compare ], [ %d1, %equal ]
  %product = phi i64 [ 1, %compare ], [ %product1, %equal ]
  %more = icmp slt i32 %d, %ndim
  br i1 %more, label %measure, label %measured
measure:
  %a0 = getelementptr i64, ptr %shape, i32 %d
  %b0 = getelementptr i64, ptr %lshape, i32 %d
  %a = load i64, ptr %a0
  %b = load i64, ptr %b0
  %same = icmp eq i64 %a, %b
  br i1 %same, label %equal, label %unfit
equal:
  %d1 = add i32 %d, 1
  %product1 = mul i64 %product, %a
  br label %axis
measured:
  %each = icmp eq i64 %fixed, -1
  %counted = select i1 %each, i64 %product, i64 %fixed
  br label %locate
locate:
  %extent0 = phi i64 [ %extent, %any ], [ %extent, %shaped ], [ %counted, %measured ]
  %first0 = phi ptr [ %first, %any ], [ %first, %shaped ], [ %lead, %measured ]
  %xd = getelementptr i8, ptr %x, i64 16
  %data = load i64, ptr %xd
  br label %placed
placed:
  %word = phi i64 [ %vb, %real ], [ %i, %integer ], [ %number, %check ], [ %data, %locate ]
  %extent1 = phi i64 [ %extent, %real ], [ %extent, %integer ], [ %extent, %check ], [ %extent0, %locate ]
  %first1 = phi ptr [ %first, %real ], [ %first, %integer ], [ %first, %check ], [ %first0, %locate ]
  %at = getelementptr i64, ptr %words, i64 %position
  store i64 %word, ptr %at
  %k1 = add i64 %k, 1
  br label %operand
run:
  %long = icmp sgt i64 %extent, %limit
  br i1 %long, label %unfit, label %go
go:
  %loop = icmp eq i64 %fixed, -1
  br i1 %loop, label %sized, label %start
sized:
  store i64 %extent, ptr %words
  br label %start
start:
  %before = load i64, ptr @launches
  %after = add i64 %before, 1
  store i64 %after, ptr @launches
  call void %f(i64 0, i64 %extent, ptr %words)
  %true = call ptr @give.True()
  ret ptr %true
unfit:
  %false = call ptr @give.False()
  ret ptr %false
}
"""

# self: address of a record (where the array lies, pairs; of each where that is written, and bytes added); args: array
_POINT = """
define internal ptr @point(ptr %self, ptr %args, i64 %n) {
entry:
  %one = icmp eq i64 %n, 1
  br i1 %one, label %begin, label %bad
bad:
  %refused = call i32 @PyErr_BadArgument()
  ret ptr null
begin:
  %rw = call i64 @PyLong_AsUnsignedLongLongMask(ptr %self)
  %r = inttoptr i64 %rw to ptr
  %x = load ptr, ptr %args
  %isa = call i1 @is_array(ptr %x)
  br i1 %isa, label %look, label %unfit
look:
  %fat = getelementptr i8, ptr %x, i64 64
  %flags = load i32, ptr %fat
  %dense = trunc i32 %flags to i1
  br i1 %dense, label %compare, label %unfit
compare:
  %dat = getelementptr i8, ptr %x, i64 16
  %data = load i64, ptr %dat
  %known = load i64, ptr %r
  %still = icmp eq i64 %data, %known
  br i1 %still, label %done, label %tell
tell:
  store i64 %data, ptr %r
  %r1 = getelementptr i64, ptr %r, i64 1
  %r2 = getelementptr i64, ptr %r, i64 2
  %count = load i64, ptr %r1
  br label %loop
loop:
  %k = phi i64 [ 0, %tell ], [ %k1, %write ]
  %some = icmp slt i64 %k, %count
  br i1 %some, label %write, label %done
write:
  %k2 = mul i64 %k, 2
  %pat = getelementptr i64, ptr %r2, i64 %k2
  %oat = getelementptr i64, ptr %pat, i64 1
  %place = load ptr, ptr %pat
  %offset = load i64, ptr %oat
  %word = add i64 %data, %offset
  store i64 %word, ptr %place
  %k1 = add i64 %k, 1
  br label %loop
done:
  %true = call ptr @give.True()
  ret ptr %true
unfit:
  %false = call ptr @give.False()
  ret ptr %false
}
"""

TEXT = "\n".join((_api(), _COMMON, _CALL, _LAUNCH, _POINT, _told()))
