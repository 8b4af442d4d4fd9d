"""CuPy's `ElementwiseKernel` on the CPU: the same C code, one element after the other, for the strict backend.

The code is compiled as C++, of which CUDA is a dialect. What CUDA has beyond that (`__device__`, `atomicAdd`) is
defined away. An array is a class with CuPy's indexing, by the number of the element, that notices an index outside.
"""

import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from cupy_differences import NotOnCupy

COMPILER = shutil.which(os.environ.get("CXX") or "c++")
C_TYPES = {"float32": "float", "float64": "double", "int64": "long long"}
AROUND = """
extern "C" double floor(double);
static inline float floor(float x) {{ return (float)floor((double)x); }}
#define __device__ static inline
typedef {T} T;
static long long outside;
template <class X> struct Array {{
    X *data;
    long long size;
    X &operator[](long long k) const {{
        outside += k < 0 || k >= size;
        return data[k < 0 || k >= size ? 0 : k];
    }}
}};
template <class X> static inline void atomicAdd(X *address, X value) {{ *address += value; }}
{preamble}
extern "C" long long {name}({declarations}, long long size) {{
    {arrays}
    outside = 0;
    for (long long i = 0; i < size; ++i) {{
        {operation}
    }}
    return outside;
}}
"""


class ElementwiseKernel:
    """As much of CuPy's class as is needed where each parameter is `raw T` or `int64`, and the last one the output."""

    def __init__(self, in_params, out_params, operation, name, preamble="", options=()):
        self.parameters = tuple(f"{in_params}, {out_params}".split(", "))
        self.name, self.operation, self.preamble = name, operation, preamble

    def __call__(self, *values, size):
        """Run it for `size` elements, on NumPy arrays."""
        if len(values) != len(self.parameters):
            raise TypeError(f"Wrong number of arguments for {self.name}: {len(values)}")
        dtypes = {str(value.dtype) for value in values if isinstance(value, np.ndarray)}
        if len(dtypes) != 1:
            raise TypeError(f"Type is mismatched in {self.name}: {dtypes}")
        assert values[-1].flags.c_contiguous
        function = _compiled(*dtypes, self.parameters, self.name, self.operation, self.preamble)
        arrays = [np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value for value in values]
        arguments = []
        for value in arrays:
            if isinstance(value, np.ndarray):
                arguments.append(value.ctypes.data_as(ctypes.c_void_p))
            arguments.append(ctypes.c_longlong(np.size(value) if isinstance(value, np.ndarray) else value))
        if function(*arguments, ctypes.c_longlong(size)):
            raise NotOnCupy(f"the kernel {self.name} reads or writes outside of an array")


@functools.cache
def _compiled(dtype, parameters, name, operation, preamble):
    declarations, arrays = [], ""
    for parameter in parameters:
        kind, variable = parameter.rsplit(" ", 1)
        if kind == "raw T":
            declarations.append(f"T *{variable}_data, long long {variable}_size")
            arrays += f"const Array<T> {variable} = {{{variable}_data, {variable}_size}};"
        else:
            declarations.append(f"{C_TYPES[kind]} {variable}")
    code = AROUND.format(
        T=C_TYPES[dtype], name=name, preamble=preamble, declarations=", ".join(declarations), arrays=arrays,
        operation=operation,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "kernel.cpp"), Path(folder, "kernel.so")
        source.write_text(code, encoding="utf-8")
        # Without fused multiply-adds, as the kernels are compiled for the GPU.
        subprocess.run([COMPILER, "-shared", "-fPIC", "-ffp-contract=off", "-o", library, source], check=True)
        function = getattr(ctypes.CDLL(str(library)), name)
    function.restype = ctypes.c_longlong
    return function
