"""Writes test/nn/variable_scope_goldens.txt: short programs of scopes, variables and ops, and what TensorFlow 1.x makes of them.

Needs tensorflow. Run from the root: python test/oracle/variable_scope_goldens.py
A line: commands separated by ";" => their results. Commands:
  vs NAME R      opens variable_scope(NAME, reuse=R), R: - none, t True, a AUTO_REUSE     -> name of the scope, its original name scope
  default NAME R opens variable_scope(None, default_name=NAME, reuse=R)
  object K R     opens the scope object that the K-th opening gave
  flip           reuse_variables() of the innermost open variable scope
  ns NAME        opens name_scope(NAME) ("-": None)                                       -> the scope
  close          leaves the scope opened last
  get NAME N D   get_variable(NAME, shape [N], dtype D)                                   -> full name, "new" or "old"
  op NAME        an op of that name                                                       -> its name
An error is "!" and its kind. Every program ends with all scopes closed.
"""
import os
import random

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

v1 = tf.compat.v1
v1.disable_eager_execution()
KINDS = [("already exists", "exists"), ("does not exist", "missing"), ("different shape", "shape"), ("specified shape", "shape"), ("dtype", "dtype"), ("without a name_or_scope", "default"), ("not a valid", "name")]
REUSE = {"-": None, "t": True, "a": v1.AUTO_REUSE}


def kind(e):
    return "!" + next(k for text, k in KINDS if text in str(e))


def run(program):
    results, stack, objects, known = [], [], [], {}
    with tf.Graph().as_default():

        def enter(manager, variable):
            scope = manager.__enter__()
            stack.append((manager, scope if variable else None))
            if variable:
                objects.append(scope)
                return f"{scope.name or '-'} {scope.original_name_scope or '-'}"
            return scope or "-"

        for command in program.split(";"):
            word, *a = command.split(" ")
            try:
                if word == "vs":
                    r = enter(v1.variable_scope("" if a[0] == "-" else a[0], reuse=REUSE[a[1]]), True)
                elif word == "default":
                    r = enter(v1.variable_scope(None, default_name=a[0], reuse=REUSE[a[1]]), True)
                elif word == "object":
                    r = enter(v1.variable_scope(objects[int(a[0])], reuse=REUSE[a[1]]), True)
                elif word == "ns":
                    r = enter(v1.name_scope(None if a[0] == "-" else a[0]), False)
                elif word == "flip":
                    [s for _, s in stack if s is not None][-1].reuse_variables()
                    r = "."
                elif word == "close":
                    stack.pop()[0].__exit__(None, None, None)
                    r = "."
                elif word == "get":
                    v = v1.get_variable(a[0], [int(a[1])], {"f": tf.float32, "d": tf.float64}[a[2]])
                    name = v.name.removesuffix(":0")
                    r = name + (" old" if known.get(name) is v else " new")
                    known[name] = v
                else:
                    r = tf.constant(0, name=a[0]).op.name
            except ValueError as e:
                r = kind(e)
            results.append(r)
        while stack:
            stack.pop()[0].__exit__(None, None, None)
    return f"{program} => {';'.join(results)}"


BOOK = [
    # a variable exists once; reuse finds it, and nothing else
    "vs foo -;get v 1 f;close;vs foo -;get v 1 f;close;vs foo t;get v 1 f;get w 1 f;get v 2 f;get v 1 d;close;vs bar t;get v 1 f;close;vs foo a;get v 1 f;get u 1 f;get v 2 f;get v 1 d;close",
    # reuse is inherited and comes back: False, True, True, False
    "vs root -;get r0 1 f;vs foo t;get r1 1 f;vs bar -;get r2 1 f;close;close;get r3 1 f;close",
    # nested names, and variables by their full name from the root
    "get v1 1 f;vs foo -;get v 1 f;close;vs foo -;vs bar -;get v 1 f;close;get v1 1 f;close;vs - t;get foo/bar/v 1 f;get foo/v1 1 f;get v1 1 f;close",
    # name scopes do not touch get_variable
    "vs a -;get x 1 f;op mul;close;ns b;get y 1 f;op mul;close;vs a t;get x 1 f;op mul;close",
    # uniquifying, without case
    "op add;op add;op add;op Add;op add_1;op add_1;op add",
    "ns foo;op mul;op mul;close;ns foo;op mul;close;ns foo/;op mul;close;ns foo;ns -;op mul;close;op mul;close",
    # scope objects: absolute, with their own settings
    "vs foo -;get v 1 f;close;vs bar -;vs baz -;object 0 t;get v 1 f;vs sub -;get w 1 f;close;close;get v 1 f;close;close",
    "vs foo -;get v 1 f;flip;get v 1 f;get w 1 f;close;get v 1 f;object 0 -;get v 1 f;get w 1 f;close;vs foo -;get v 1 f;close",
    # default names
    "default Conv -;get w 1 f;op x;close;default Conv -;get w 1 f;op x;close;default Conv t;vs a -;default Conv -;get w 1 f;close;default Conv -;get w 1 f;close;close;vs a -;default Conv -;get z 1 f;close;close",
]


def generated(r):
    commands, depth, variable, objects = [], [], 0, 0
    for _ in range(r.randint(6, 14)):
        reuse = r.choice("---ta")
        choice = r.choice(["vs", "vs", "default", "object", "flip", "ns", "close", "get", "get", "get", "op", "op"])
        if choice == "vs":
            commands.append(f"vs {r.choice(['a', 'A', 'b', 'a/b', 'conv'])} {reuse}")
        elif choice == "default":
            reuse = "-"
            commands.append(f"default {r.choice(['a', 'conv', 'Conv'])} -")
        elif choice == "object" and objects:
            commands.append(f"object {r.randrange(objects)} {reuse}")
        elif choice == "ns":
            commands.append(f"ns {r.choice(['a', 'A', 'b', 'a/', 'conv', 'conv_1', '-'])}")
            depth.append("ns")
            continue
        elif choice == "flip" and "vs" in depth:
            commands.append("flip")
            continue
        elif choice == "close" and depth:
            commands.append("close")
            depth.pop()
            continue
        elif choice == "get":
            commands.append(f"get {r.choice('vw')} {r.choice('1112')} {r.choice('fffd')}")
            continue
        elif choice == "op":
            commands.append(f"op {r.choice(['x', 'X', 'x_1', 'y'])}")
            continue
        else:
            continue
        depth.append("vs")
        objects += 1
    return ";".join(commands + ["close"] * len(depth))


r = random.Random(3)
programs = BOOK + [generated(r) for _ in range(120)]
with open("test/nn/variable_scope_goldens.txt", "w") as f:
    f.write("\n".join(run(p) for p in programs if p) + "\n")
