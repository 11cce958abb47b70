package onnx

import (
	"math"

	"github.com/convergent-go/convergent/internal/elem"
	"github.com/convergent-go/convergent/internal/vec"
)

// operator is one of ONNX's operators.
type operator struct {
	min, max int // inputs; max -1: any number
	outputs  int
	since    int // version before which the package does not have it

	channelsLast bool // it takes tensors whose channels are last in memory
	fresh        bool // its first output is memory of its own, or of an input that nobody reads after it
	foldsNorm    bool // it does the work of a BatchNormalization after it

	build func(a *attributes) kernel // panics with a failure
}

// plain returns an operator of tensors with their axes in their order in memory.
func plain(low, high, outputs int, build func(a *attributes) kernel) *operator {
	return &operator{min: low, max: high, outputs: outputs, build: build}
}

// either returns an operator of tensors in either order.
func either(low, high, outputs int, build func(a *attributes) kernel) *operator {
	return &operator{min: low, max: high, outputs: outputs, channelsLast: true, build: build}
}

const many = 1 << 16 // outputs

// operators are those of ONNX's own domain that the package has.
var operators = map[string]*operator{
	"Abs":                       arithmetic(math.Abs, abs),
	"Add":                       dyadic(addition),
	"And":                       logical(func(a, b bool) bool { return a && b }),
	"ArgMax":                    extremal(func(a, b float64) bool { return a > b }),
	"ArgMin":                    extremal(func(a, b float64) bool { return a < b }),
	"AveragePool":               {min: 1, max: 1, outputs: 1, channelsLast: true, fresh: true, build: buildAveragePool},
	"BatchNormalization":        {min: 5, max: 5, outputs: 1, channelsLast: true, fresh: true, build: buildBatchNormalization},
	"Cast":                      either(1, 1, 1, buildCast),
	"CastLike":                  either(2, 2, 1, buildCastLike),
	"Ceil":                      function(math.Ceil),
	"Celu":                      mapping(buildCelu),
	"Clip":                      either(1, 3, 1, buildClip),
	"Concat":                    {min: 1, max: -1, outputs: 1, channelsLast: true, fresh: true, build: buildConcat},
	"Constant":                  plain(0, 0, 1, buildConstant),
	"ConstantOfShape":           plain(1, 1, 1, buildConstantOfShape),
	"Conv":                      {min: 2, max: 3, outputs: 1, channelsLast: true, fresh: true, foldsNorm: true, build: buildConv},
	"ConvTranspose":             {min: 2, max: 3, outputs: 1, channelsLast: true, fresh: true, build: buildConvTranspose},
	"Cos":                       function(elem.Cos),
	"Cosh":                      function(cosh),
	"CumSum":                    plain(2, 2, 1, buildCumSum),
	"DepthToSpace":              plain(1, 1, 1, buildDepthToSpace),
	"DequantizeLinear":          plain(2, 3, 1, buildDequantize),
	"Div":                       dyadic(division),
	"Dropout":                   either(1, 3, 2, buildDropout),
	"Einsum":                    plain(1, -1, 1, buildEinsum),
	"Elu":                       mapping(buildElu),
	"Equal":                     dyadic(equals),
	"Erf":                       mapping(func(*attributes) func(y, x []float32) { return vec.Erf }),
	"Exp":                       mapping(func(*attributes) func(y, x []float32) { return func(y, x []float32) { vec.Exp(y, x, 0) } }),
	"Expand":                    plain(2, 2, 1, buildExpand),
	"EyeLike":                   plain(1, 1, 1, buildEyeLike),
	"Flatten":                   plain(1, 1, 1, buildFlatten),
	"Floor":                     function(math.Floor),
	"Gather":                    plain(2, 2, 1, buildGather),
	"GatherElements":            plain(2, 2, 1, buildGatherElements),
	"GatherND":                  plain(2, 2, 1, buildGatherND),
	"Gelu":                      mapping(buildGelu),
	"Gemm":                      {min: 2, max: 3, outputs: 1, fresh: true, build: buildGemm},
	"GlobalAveragePool":         spatial(meanOf, true),
	"GlobalMaxPool":             spatial(maxOf, false),
	"Greater":                   dyadic(greats),
	"GreaterOrEqual":            dyadic(atLeast),
	"GroupNormalization":        plain(3, 3, 1, buildGroups(false)),
	"HardSigmoid":               mapping(buildHardSigmoid),
	"HardSwish":                 mapping(func(*attributes) func(y, x []float32) { return hardSwish }),
	"Hardmax":                   softmax(hardmaxRow),
	"Identity":                  either(1, 1, 1, buildIdentity),
	"InstanceNormalization":     plain(3, 3, 1, buildGroups(true)),
	"IsInf":                     test(buildIsInf),
	"IsNaN":                     test(func(*attributes) func(x float32) bool { return func(x float32) bool { return x != x } }),
	"LRN":                       either(1, 1, 1, buildLRN),
	"LayerNormalization":        {min: 2, max: 3, outputs: 3, fresh: true, build: buildLayerNormalization},
	"LeakyRelu":                 mapping(buildLeakyRelu),
	"Less":                      dyadic(lesses),
	"LessOrEqual":               dyadic(atMost),
	"Log":                       function(elem.Log),
	"LogSoftmax":                softmax(logSoftmaxRow),
	"LpNormalization":           plain(1, 1, 1, buildLpNormalization),
	"MatMul":                    {min: 2, max: 2, outputs: 1, fresh: true, build: buildMatMul},
	"Max":                       variadic(maxima, false),
	"MaxPool":                   {min: 1, max: 1, outputs: 2, channelsLast: true, fresh: true, build: buildMaxPool},
	"Mean":                      variadic(addition, true),
	"MeanVarianceNormalization": plain(1, 1, 1, buildMeanVariance),
	"Min":                       variadic(minima, false),
	"Mish":                      function(mish),
	"Mod":                       either(2, 2, 1, buildMod),
	"Mul":                       dyadic(multiplication),
	"Neg":                       arithmetic(func(x float64) float64 { return -x }, func(x int64) int64 { return -x }),
	"NonZero":                   plain(1, 1, 1, buildNonZero),
	"Not":                       plain(1, 1, 1, buildNot),
	"OneHot":                    plain(3, 3, 1, buildOneHot),
	"Or":                        logical(func(a, b bool) bool { return a || b }),
	"PRelu":                     either(2, 2, 1, buildPRelu),
	"Pad":                       either(1, 4, 1, buildPad),
	"Pow":                       either(2, 2, 1, buildPow),
	"QuantizeLinear":            plain(2, 3, 1, buildQuantize),
	"Range":                     plain(3, 3, 1, buildRange),
	"Reciprocal":                function(func(x float64) float64 { return 1 / x }),
	"ReduceL1":                  reducer(l1Of, 18),
	"ReduceL2":                  reducer(l2Of, 18),
	"ReduceLogSum":              reducer(logSumOf, 18),
	"ReduceLogSumExp":           reducer(logSumExps, 18),
	"ReduceMax":                 reducer(maxOf, 18),
	"ReduceMean":                reducer(meanOf, 18),
	"ReduceMin":                 reducer(minOf, 18),
	"ReduceProd":                reducer(prodOf, 18),
	"ReduceSum":                 reducer(sumOf, 13),
	"ReduceSumSquare":           reducer(squaresOf, 18),
	"Relu":                      either(1, 1, 1, buildRelu),
	"Reshape":                   {min: 2, max: 2, outputs: 1, build: buildReshape},
	"Resize":                    {min: 1, max: 4, outputs: 1, since: 10, channelsLast: true, build: buildResize},
	"Round":                     function(math.RoundToEven),
	"Scatter":                   plain(3, 3, 1, buildScatterElements),
	"ScatterElements":           plain(3, 3, 1, buildScatterElements),
	"ScatterND":                 plain(3, 3, 1, buildScatterND),
	"Selu":                      mapping(buildSelu),
	"Shape":                     either(1, 1, 1, buildShape),
	"Shrink":                    mapping(buildShrink),
	"Sigmoid":                   mapping(func(*attributes) func(y, x []float32) { return vec.Sigmoid }),
	"Sign":                      arithmetic(sign, func(x int64) int64 { return min(max(x, -1), 1) }),
	"Sin":                       function(elem.Sin),
	"Sinh":                      function(sinh),
	"Size":                      either(1, 1, 1, buildSize),
	"Slice":                     either(1, 5, 1, buildSlice),
	"Softmax":                   softmax(softmaxRow),
	"Softplus":                  function(log1pExp),
	"Softsign":                  function(func(x float64) float64 { return x / (1 + math.Abs(x)) }),
	"SpaceToDepth":              plain(1, 1, 1, buildSpaceToDepth),
	"Split":                     either(1, 2, many, buildSplit),
	"Sqrt":                      function(math.Sqrt),
	"Squeeze":                   plain(1, 2, 1, buildSqueeze),
	"Sub":                       dyadic(subtraction),
	"Sum":                       variadic(addition, false),
	"Tan":                       function(tan),
	"Tanh":                      mapping(func(*attributes) func(y, x []float32) { return vec.Tanh }),
	"ThresholdedRelu":           mapping(buildThresholdedRelu),
	"Tile":                      plain(2, 2, 1, buildTile),
	"TopK":                      plain(1, 2, 2, buildTopK),
	"Transpose":                 either(1, 1, 1, buildTranspose),
	"Trilu":                     plain(1, 2, 1, buildTrilu),
	"Unsqueeze":                 plain(1, 2, 1, buildUnsqueeze),
	"Upsample":                  either(1, 2, 1, buildUpsample),
	"Where":                     plain(3, 3, 1, buildWhere),
	"Xor":                       logical(func(a, b bool) bool { return a != b }),
}
