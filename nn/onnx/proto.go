package onnx

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// These are the messages of onnx.proto, as far as they say what is computed. Bytes are
// parts of the file, not copies.
type (
	modelProto struct {
		irVersion int64
		graph     *graphProto
		opsets    []opsetProto
		functions []*functionProto
	}
	opsetProto struct {
		domain  string
		version int64
	}
	graphProto struct {
		nodes           []*nodeProto
		name            string
		initializers    []*tensorProto
		inputs, outputs []*valueProto
		values          []*valueProto
		sparse          int // sparse initialisers
	}
	nodeProto struct {
		inputs, outputs []string
		name            string
		op              string
		domain          string
		overload        string
		attributes      []*attributeProto
	}
	attributeProto struct {
		name    string
		kind    int64
		ref     string
		f       float32
		i       int64
		s       []byte
		t       *tensorProto
		g       *graphProto
		floats  []float32
		ints    []int64
		strings [][]byte
	}
	tensorProto struct {
		name     string
		dims     []int64
		dataType int64
		floats   []float32
		int32s   []int32
		int64s   []int64
		doubles  []float64
		raw      []byte // nil without raw_data
		location int64
		external map[string]string
		value    *Tensor // once it was asked for
	}
	valueProto struct {
		name     string
		elem     int64 // 0: not a tensor, or not known
		tensor   bool
		hasShape bool
		dims     []Dim
	}
	functionProto struct {
		name, domain, overload string
		inputs, outputs        []string
		attributes             []string
		defaults               []*attributeProto
		nodes                  []*nodeProto
		opsets                 []opsetProto
	}
)

var errProto = errors.New("not a protobuf message")

// field is one field of a message: a number or bytes, by its type on the wire.
type field struct {
	typ   protowire.Type
	u     uint64
	b     []byte
	depth int // graphs that it is in, beyond the model's
}

// fields calls f for each field of a message, which lies so deep.
func fields(b []byte, depth int, f func(num protowire.Number, v field) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errProto
		}
		b = b[n:]
		v := field{typ: typ, depth: depth}
		switch typ {
		case protowire.VarintType:
			v.u, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var u uint32
			u, n = protowire.ConsumeFixed32(b)
			v.u = uint64(u)
		case protowire.Fixed64Type:
			v.u, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			v.b, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return errProto
		}
		b = b[n:]
		if err := f(num, v); err != nil {
			return err
		}
	}
	return nil
}

// maxDepth is how deep graphs may lie within each other: as deep as protobuf's own
// limit.
const maxDepth = 32

func parseModel(b []byte) (*modelProto, error) {
	m := new(modelProto)
	err := fields(b, 0, func(num protowire.Number, v field) (err error) {
		switch num {
		case 1:
			m.irVersion = int64(v.u)
		case 7:
			m.graph, err = parseGraph(v)
		case 8:
			m.opsets, err = appendMessage(m.opsets, v, parseOpset)
		case 25:
			m.functions, err = appendMessage(m.functions, v, parseFunction)
		}
		return err
	})
	return m, err
}

// message returns the fields of an embedded message to f.
func (v field) message(f func(num protowire.Number, v field) error) error {
	if v.typ != protowire.BytesType {
		return errProto
	}
	return fields(v.b, v.depth, f)
}

func parseOpset(v field) (o opsetProto, err error) {
	err = v.message(func(num protowire.Number, v field) error {
		switch num {
		case 1:
			o.domain = string(v.b)
		case 2:
			o.version = int64(v.u)
		}
		return nil
	})
	return o, err
}

func parseGraph(v field) (*graphProto, error) {
	if v.depth > maxDepth {
		return nil, errors.New("graphs within graphs beyond all measure")
	}
	g := new(graphProto)
	err := v.message(func(num protowire.Number, v field) (err error) {
		switch num {
		case 1:
			g.nodes, err = appendMessage(g.nodes, v, parseNode)
		case 2:
			g.name = string(v.b)
		case 5:
			g.initializers, err = appendMessage(g.initializers, v, parseTensor)
		case 11:
			g.inputs, err = appendMessage(g.inputs, v, parseValue)
		case 12:
			g.outputs, err = appendMessage(g.outputs, v, parseValue)
		case 13:
			g.values, err = appendMessage(g.values, v, parseValue)
		case 15:
			g.sparse++
		}
		return err
	})
	return g, err
}

func parseNode(v field) (*nodeProto, error) {
	n := new(nodeProto)
	err := v.message(func(num protowire.Number, v field) (err error) {
		switch num {
		case 1:
			n.inputs = append(n.inputs, string(v.b))
		case 2:
			n.outputs = append(n.outputs, string(v.b))
		case 3:
			n.name = string(v.b)
		case 4:
			n.op = string(v.b)
		case 5:
			n.attributes, err = appendMessage(n.attributes, v, parseAttribute)
		case 7:
			n.domain = string(v.b)
		case 8:
			n.overload = string(v.b)
		}
		return err
	})
	return n, err
}

func parseAttribute(v field) (*attributeProto, error) {
	a := new(attributeProto)
	err := v.message(func(num protowire.Number, v field) (err error) {
		switch num {
		case 1:
			a.name = string(v.b)
		case 2:
			a.f = math.Float32frombits(uint32(v.u))
		case 3:
			a.i = int64(v.u)
		case 4:
			a.s = v.b
		case 5:
			a.t, err = parseTensor(v)
		case 6:
			v.depth++
			a.g, err = parseGraph(v)
		case 7:
			a.floats, err = appendFloats(a.floats, v)
		case 8:
			a.ints, err = appendVarints(a.ints, v)
		case 9:
			a.strings = append(a.strings, v.b)
		case 20:
			a.kind = int64(v.u)
		case 21:
			a.ref = string(v.b)
		}
		return err
	})
	return a, err
}

func parseTensor(v field) (*tensorProto, error) {
	t := new(tensorProto)
	err := v.message(func(num protowire.Number, v field) (err error) {
		switch num {
		case 1:
			t.dims, err = appendVarints(t.dims, v)
		case 2:
			t.dataType = int64(v.u)
		case 4:
			t.floats, err = appendFloats(t.floats, v)
		case 5:
			t.int32s, err = appendVarints(t.int32s, v)
		case 7, 11:
			t.int64s, err = appendVarints(t.int64s, v)
		case 8:
			t.name = string(v.b)
		case 9:
			if v.typ != protowire.BytesType {
				return errProto
			}
			t.raw = v.b
		case 10:
			t.doubles, err = appendDoubles(t.doubles, v)
		case 13:
			var key, value string
			err = v.message(func(num protowire.Number, v field) error {
				switch num {
				case 1:
					key = string(v.b)
				case 2:
					value = string(v.b)
				}
				return nil
			})
			if t.external == nil {
				t.external = make(map[string]string)
			}
			t.external[key] = value
		case 14:
			t.location = int64(v.u)
		}
		return err
	})
	return t, err
}

func parseValue(v field) (*valueProto, error) {
	p := new(valueProto)
	dim := func(v field) error {
		d := Dim{Size: -1}
		err := v.message(func(num protowire.Number, v field) error {
			switch num {
			case 1:
				if d.Size = int(int64(v.u)); d.Size < 0 {
					d.Size = -1
				}
			case 2:
				d.Name = string(v.b)
			}
			return nil
		})
		p.dims = append(p.dims, d)
		return err
	}
	tensor := func(num protowire.Number, v field) error {
		switch num {
		case 1:
			p.elem = int64(v.u)
		case 2:
			p.hasShape = true
			return v.message(func(num protowire.Number, v field) error {
				if num == 1 {
					return dim(v)
				}
				return nil
			})
		}
		return nil
	}
	err := v.message(func(num protowire.Number, v field) error {
		switch num {
		case 1:
			p.name = string(v.b)
		case 2:
			return v.message(func(num protowire.Number, v field) error {
				if num == 1 {
					p.tensor = true
					return v.message(tensor)
				}
				return nil
			})
		}
		return nil
	})
	return p, err
}

func parseFunction(v field) (*functionProto, error) {
	f := new(functionProto)
	err := v.message(func(num protowire.Number, v field) (err error) {
		switch num {
		case 1:
			f.name = string(v.b)
		case 4:
			f.inputs = append(f.inputs, string(v.b))
		case 5:
			f.outputs = append(f.outputs, string(v.b))
		case 6:
			f.attributes = append(f.attributes, string(v.b))
		case 7:
			f.nodes, err = appendMessage(f.nodes, v, parseNode)
		case 9:
			f.opsets, err = appendMessage(f.opsets, v, parseOpset)
		case 10:
			f.domain = string(v.b)
		case 11:
			f.defaults, err = appendMessage(f.defaults, v, parseAttribute)
		case 13:
			f.overload = string(v.b)
		}
		return err
	})
	return f, err
}

// appendMessage appends a message of a repeated field.
func appendMessage[T any](dst []T, v field, parse func(v field) (T, error)) ([]T, error) {
	m, err := parse(v)
	return append(dst, m), err
}

// appendVarints appends a repeated field of integers, packed or not.
func appendVarints[T int32 | int64](dst []T, v field) ([]T, error) {
	if v.typ == protowire.VarintType {
		return append(dst, T(v.u)), nil
	}
	if v.typ != protowire.BytesType {
		return nil, errProto
	}
	for b := v.b; len(b) > 0; {
		u, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, errProto
		}
		dst, b = append(dst, T(u)), b[n:]
	}
	return dst, nil
}

// appendFloats appends a repeated field of float32, packed or not.
func appendFloats(dst []float32, v field) ([]float32, error) {
	switch {
	case v.typ == protowire.Fixed32Type:
		return append(dst, math.Float32frombits(uint32(v.u))), nil
	case v.typ != protowire.BytesType || len(v.b)%4 != 0:
		return nil, errProto
	}
	for b := v.b; len(b) > 0; b = b[4:] {
		u, _ := protowire.ConsumeFixed32(b)
		dst = append(dst, math.Float32frombits(u))
	}
	return dst, nil
}

// appendDoubles appends a repeated field of float64, packed or not.
func appendDoubles(dst []float64, v field) ([]float64, error) {
	switch {
	case v.typ == protowire.Fixed64Type:
		return append(dst, math.Float64frombits(v.u)), nil
	case v.typ != protowire.BytesType || len(v.b)%8 != 0:
		return nil, errProto
	}
	for b := v.b; len(b) > 0; b = b[8:] {
		u, _ := protowire.ConsumeFixed64(b)
		dst = append(dst, math.Float64frombits(u))
	}
	return dst, nil
}

// dataTypes are the names of the types of onnx.proto.
var dataTypes = []string{"undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "float64",
	"uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1"}

// elementType returns the Type as which tensors of a type of onnx.proto are computed.
func elementType(dataType int64) (Type, error) {
	switch dataType {
	case 1, 10, 11, 16:
		return Float32, nil
	case 2:
		return Uint8, nil
	case 3:
		return Int8, nil
	case 6:
		return Int32, nil
	case 7:
		return Int64, nil
	case 9:
		return Bool, nil
	}
	if dataType > 0 && dataType < int64(len(dataTypes)) {
		return 0, fmt.Errorf("elements of type %s are not supported", dataTypes[dataType])
	}
	return 0, fmt.Errorf("no element type %d exists", dataType)
}
