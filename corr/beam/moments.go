package corrbeam

import (
	"bytes"
	"math/bits"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/convergent-go/convergent/corr"
)

func init() {
	beam.RegisterCoder(reflect.TypeFor[Sum](), encodeSum, decodeSum)
	beam.RegisterCoder(reflect.TypeFor[*corr.Moments](), encodeMoments, decodeMoments)
	// By reflection, for elements are few and large. What package register makes of types
	// instead takes the compiler half a minute.
	beam.RegisterDoFn(&Merge{})
	beam.RegisterDoFn(&Read{})
	beam.RegisterDoFn(&group{})
	beam.RegisterFunction(Sum.Moments)
}

func encodeMoments(m *corr.Moments) ([]byte, error) {
	var b bytes.Buffer
	_, err := m.WriteTo(&b)
	return b.Bytes(), err
}

func decodeMoments(data []byte) (*corr.Moments, error) {
	return corr.ReadMoments(bytes.NewReader(data))
}

// Merge is a CombineFn that merges Sums, in any order to the same bytes.
type Merge struct{}

// MergeAccumulators returns the sum of both.
func (*Merge) MergeAccumulators(a, b Sum) (Sum, error) { return a.Merge(b) }

// Moments reads shards and adds them up: it returns a PCollection<*corr.Moments> of one
// element. It panics if there is no shard.
func Moments(s beam.Scope, shards []Shard, read *Read) beam.PCollection {
	if len(shards) == 0 {
		panic("corrbeam: no shards")
	}
	s = s.Scope("Moments")
	files := beam.Reshuffle(s, beam.CreateList(s, shards)) // or one worker reads all
	return Combine(s, beam.ParDo(s, read, files), len(shards))
}

// Combine adds up a PCollection<Sum> of a pass's shards, of which there are so many, and
// returns a PCollection<*corr.Moments> of one element. It merges branches of about the root
// of so many shards each, on as many workers, and then those branches.
func Combine(s beam.Scope, sums beam.PCollection, shards int) beam.PCollection {
	s = s.Scope("Combine")
	level := bits.Len(uint(shards-1)) / 2
	branches := beam.CombinePerKey(s.Scope("Branches"), &Merge{}, beam.ParDo(s, &group{level}, sums))
	sum := beam.Combine(s.Scope("Tree"), &Merge{}, beam.DropKey(s, branches))
	return beam.ParDo(s, Sum.Moments, sum)
}

// group is a DoFn that finds which branch of a level a sum is merged in. The bytes do not
// depend on it.
type group struct{ Level int }

// ProcessElement returns the index of the branch, and the sum.
func (g *group) ProcessElement(s Sum) (int, Sum) {
	if len(s.branches) == 0 {
		return 0, s
	}
	return s.branches[0].first() >> g.Level, s
}
