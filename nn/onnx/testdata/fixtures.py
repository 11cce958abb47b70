"""Writes small models, and what ONNX Runtime computes of them, to a folder:

    python3 fixtures.py FOLDER

NAME.onnx is the model. NAME.expected.onnx has no nodes: its initialisers are the inputs and all
tensors that the nodes of the model compute, under their names.
"""
import os, sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(1)


class Graph:
    def __init__(self):
        self.nodes, self.initializers = [], []

    def weights(self, *shape, low=None, high=None):
        w = random.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[1:]))) if low is None else random.uniform(low, high, shape)
        return self.constant(w.astype(np.float32))

    def constant(self, value):
        name = f"w{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, op, *inputs, **attributes):
        domain = attributes.pop("domain", "")
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name, domain=domain, **attributes))
        return name

    def norm(self, x, channels):
        return self.node("BatchNormalization", x, self.weights(channels, low=0.5, high=1.5), self.weights(channels, low=-0.5, high=0.5),
                         self.weights(channels, low=-0.5, high=0.5), self.weights(channels, low=0.5, high=1.5))

    def conv(self, x, channels, out, kernel, groups=1, **attributes):
        return self.node("Conv", x, self.weights(out, channels // groups, kernel, kernel), self.weights(out), group=groups, **attributes)


def images():
    """Convolutions of all kinds with what follows them in networks."""
    g = Graph()
    x = g.node("Relu", g.norm(g.conv("x", 3, 8, 3, pads=[1] * 4), 8))
    x = g.node("Relu", g.norm(g.conv(x, 8, 8, 3, pads=[1] * 4), 8))
    x = g.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    low, high = g.constant(np.float32(0)), g.constant(np.float32(1.5))
    y = g.node("Clip", g.norm(g.conv(x, 8, 16, 1), 16), low, high)
    y = g.node("Clip", g.norm(g.conv(y, 16, 16, 3, 16, pads=[1] * 4), 16), low, high)
    x = g.node("Relu", g.node("Add", x, g.norm(g.conv(y, 16, 8, 1), 8)))
    y = g.conv(x, 8, 8, 3, 2, auto_pad="SAME_UPPER")
    x = g.node("Concat", x, y, axis=1)
    x = g.node("Relu", g.norm(x, 16))
    x = g.conv(x, 16, 6, 3, strides=[2, 2], pads=[0, 1, 1, 0])
    x = g.node("Mul", x, g.node("Sigmoid", x))
    x = g.node("Mul", x, g.weights(6, 1, 1))
    x = g.node("AveragePool", x, kernel_shape=[2, 2], pads=[1] * 4)
    x = g.conv(x, 6, 5, 2, dilations=[2, 1])
    x = g.node("ConvTranspose", x, g.weights(5, 4, 2, 2), strides=[2, 2])
    x = g.node("Flatten", g.node("GlobalAveragePool", g.node("Tanh", x)))
    x = g.node("Gemm", x, g.weights(7, 4), g.weights(7), transB=1)
    g.node("Softmax", x)
    return g, {"x": ["batch", 3, 8, 8]}, {"x": random.standard_normal((2, 3, 8, 8)).astype(np.float32)}


def tokens():
    """A block of a transformer, with the arithmetic of shapes that exporters write."""
    g = Graph()
    width, heads = 16, 2

    def normalized(x):
        return g.node("LayerNormalization", x, g.weights(width, low=0.5, high=1.5), g.weights(width))

    def dense(x, columns, rows=width):
        return g.node("Add", g.node("MatMul", x, g.weights(rows, columns)), g.weights(columns))

    def split(x):
        shape = g.node("Shape", x)
        sizes = [g.node("Unsqueeze", g.node("Gather", shape, g.constant(np.int64(i))), g.constant(np.array([0]))) for i in (0, 1)]
        to = g.node("Concat", *sizes, g.constant(np.array([heads, width // heads])), axis=0)
        return g.node("Transpose", g.node("Reshape", x, to), perm=[0, 2, 1, 3])

    y = normalized("x")
    q, k, v = (split(dense(y, width)) for _ in range(3))
    scores = g.node("Mul", g.node("MatMul", q, g.node("Transpose", k, perm=[0, 1, 3, 2])), g.constant(np.float32(8**-0.5)))
    y = g.node("Transpose", g.node("MatMul", g.node("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    y = g.node("Reshape", y, g.constant(np.array([0, 0, width])))
    x = g.node("Add", dense(y, width), "x")
    y = dense(normalized(x), 24)
    half = g.node("Mul", y, g.node("Add", g.node("Erf", g.node("Div", y, g.constant(np.float32(np.sqrt(2))))), g.constant(np.float32(1))))
    y = dense(g.node("Mul", half, g.constant(np.float32(0.5))), width, 24)
    g.node("ReduceMean", g.node("Add", x, y), axes=[1], keepdims=0)
    return g, {"x": ["batch", "length", width]}, {"x": random.standard_normal((2, 5, width)).astype(np.float32)}


def control():
    """A function of the model's own, within another, and an If whose condition is known."""
    g = Graph()
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    double = helper.make_function("own", "Double", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], opsets)
    scaled = helper.make_function("own", "Scaled", ["a"], ["b"], [
        helper.make_node("Double", ["a"], ["twice"], "twice", domain="own"),
        helper.make_node("LeakyRelu", ["twice"], ["b"], "leaky")], opsets)
    scaled.attribute.append("alpha")
    reference = helper.make_attribute("alpha", 0.0)
    reference.ref_attr_name = "alpha"
    reference.ClearField("f")
    scaled.node[1].attribute.append(reference)
    y = g.node("Scaled", "x", domain="own", alpha=0.25)

    def branch(op):
        out = helper.make_tensor_value_info("chosen", TensorProto.FLOAT, ["batch", 3])
        return helper.make_graph([helper.make_node(op, [y, "x"], ["chosen"], op)], op, [], [out])

    g.node("If", g.constant(np.array(True)), then_branch=branch("Mul"), else_branch=branch("Sub"))
    return g, {"x": ["batch", 3]}, {"x": random.standard_normal((2, 3)).astype(np.float32)}, [double, scaled]


def write(folder, name, g, shapes, inputs, functions=()):
    last = g.nodes[-1].output[0]
    inner = [helper.make_tensor_value_info(k, TensorProto.FLOAT, s) for k, s in shapes.items()]
    graph = helper.make_graph(g.nodes, name, inner, [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)], g.initializers)
    opsets = [helper.make_opsetid("", 17)] + [helper.make_opsetid("own", 1)] * bool(functions)
    model = helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=8)
    with open(os.path.join(folder, name + ".onnx"), "wb") as f:
        f.write(model.SerializeToString())
    for n in g.nodes[:-1]:
        model.graph.output.append(helper.make_empty_tensor_value_info(n.output[0]))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    tensors = dict(inputs, **{o.name: v for o, v in zip(session.get_outputs(), session.run(None, inputs))})
    known = helper.make_graph([], name, [], [], [numpy_helper.from_array(np.array(v, order="C"), k) for k, v in tensors.items()])
    with open(os.path.join(folder, name + ".expected.onnx"), "wb") as f:
        f.write(helper.make_model(known, opset_imports=opsets[:1], ir_version=8).SerializeToString())


for make in images, tokens, control:
    write(sys.argv[1], make.__name__, *make())
