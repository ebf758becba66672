"""Loops over rows, compiled: what takes too many passes over memory as operations on whole arrays.

A kernel is a function of arrays and numbers that allocates what it returns, and holds no lock of the interpreter while it runs. Whoever
calls one is a function of `models` with a plain signature; nobody else does. To the last bit it gives what array operations give:
`tests/property/plain_close.py` has them, and `test_kernels.py` holds both against each other.
"""
