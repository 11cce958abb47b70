package observe

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
)

// made is a source of two networks of one layer, in memory, in batches of some samples.
type made struct {
	samples, positions int
	units              [2]int
	data               [2][]float32
	images             []uint64
	valid              []bool
	batch              int
}

// newMade draws activations whose units share causes, which belong to sample and position.
func newMade(samples, positions int) *made {
	rnd := rand.New(rand.NewPCG(3, 4))
	m := &made{samples: samples, positions: positions, units: [2]int{4, 3}, batch: samples}
	for i := range samples {
		m.images = append(m.images, uint64(i))
	}
	for range samples * positions {
		causes := []float64{rnd.NormFloat64(), rnd.NormFloat64(), rnd.NormFloat64(), rnd.NormFloat64()}
		for n, u := range m.units {
			for k := range u {
				m.data[n] = append(m.data[n], float32(causes[k]+rnd.NormFloat64()))
			}
		}
	}
	return m
}

func (m *made) Description() *source.Description {
	d := &source.Description{Aligned: []source.Aligned{{Name: "layer", Layers: []int{0, 0}}}, Samples: m.samples}
	number := slices.Clone(m.images)
	slices.Sort(number)
	d.ImageCount = len(slices.Compact(number))
	for n, u := range m.units {
		l := source.Layer{Name: "layer", Units: u}
		if m.positions > 1 {
			l.Extents = []int{m.positions}
		}
		d.Networks = append(d.Networks, source.Network{Name: string(rune('a' + n)), File: "file", Layers: []source.Layer{l}})
	}
	return d
}

func (m *made) Batches(context.Context) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		for lo := 0; lo < m.samples; lo += m.batch {
			hi := min(m.samples, lo+m.batch)
			b := &source.Batch{Images: m.images[lo:hi]}
			if m.valid != nil {
				b.Valid = m.valid[lo*m.positions : hi*m.positions]
			}
			for n, u := range m.units {
				size := m.positions * u
				b.Networks = append(b.Networks, []source.Tensor{{Samples: hi - lo, Positions: m.positions, Units: u, Data: m.data[n][lo*size : hi*size]}})
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

func observed(t *testing.T, s source.Source, plan Plan) *Layer {
	t.Helper()
	o, err := Run(context.Background(), s, plan)
	if err != nil {
		t.Fatal(err)
	}
	return o.Layers[0]
}

// column is a unit's activations at the places that count.
func (m *made) column(network, unit int) []float64 {
	var x []float64
	for at := range m.samples * m.positions {
		if m.valid == nil || m.valid[at] {
			x = append(x, float64(m.data[network][at*m.units[network]+unit]))
		}
	}
	return x
}

// TestMask: padding has no part in anything, whatever it holds.
func TestMask(t *testing.T) {
	m := newMade(60, 7)
	m.valid = make([]bool, 60*7)
	for i := range m.samples {
		for p := range 1 + i%7 {
			m.valid[i*7+p] = true
		}
	}
	for at, ok := range m.valid {
		if !ok {
			m.data[0][at*4+1] = float32(math.NaN())
		}
	}
	m.batch = 11
	l := observed(t, m, Plan{Sample: true, Grid: true})
	l.Gather()
	if want := int64(len(m.column(0, 0))); l.Moments.Count() != want {
		t.Errorf("%d observations, want %d", l.Moments.Count(), want)
	}
	r, sampled := l.Moments.Correlation(nil, 0, 1), l.Sample.Moments().Correlation(nil, 0, 1)
	for i := range 4 {
		for j := range 3 {
			want := stat.Correlation(m.column(0, i), m.column(1, j), nil)
			if math.Abs(r.At(i, j)-want) > 1e-6 || math.Abs(sampled.At(i, j)-want) > 1e-6 {
				t.Errorf("units %d and %d: %v, of the sample, which has all, %v; want %v", i, j, r.At(i, j), sampled.At(i, j), want)
			}
		}
	}
	m.data[0][1] = float32(math.NaN())
	if _, err := Run(context.Background(), m, Plan{}); err == nil || !strings.Contains(err.Error(), "network a (file), layer layer: sample 0, position 0, unit 1: the activation is NaN") {
		t.Errorf("got %v", err)
	}
}

// TestSample: however samples are cut into batches, the same observations are sampled, at
// the same positions of every image.
func TestSample(t *testing.T) {
	const samples, positions = 300, 100
	m := newMade(samples, positions)
	l := observed(t, m, Plan{Sample: true, Seed: 5})
	m.batch = 7
	again := observed(t, m, Plan{Sample: true, Seed: 5})
	perImage := (sampleRows + samples - 1) / samples
	if l.Sample.perImage != perImage || l.Sample.Images() != samples {
		t.Fatalf("%d of %d images", l.Sample.perImage, l.Sample.Images())
	}
	for i, im := range l.Sample.images {
		if !slices.Equal(im.slots, l.Sample.images[0].slots) || len(im.slots) != perImage || !slices.Equal(im.rows[1], again.Sample.images[i].rows[1]) {
			t.Fatalf("image %d: positions %v", i, im.slots)
		}
		for k, slot := range im.slots {
			if im.rows[0][k*4+2] != m.data[0][(i*positions+slot)*4+2] {
				t.Fatalf("image %d, position %d: another activation", i, slot)
			}
		}
	}
	if other := observed(t, m, Plan{Sample: true, Seed: 6}); slices.Equal(other.Sample.images[0].slots, l.Sample.images[0].slots) {
		t.Error("another seed samples the same positions")
	}
	// Those of descent are a part of them, the same of both networks.
	x, y := l.Sample.Rows(0, 600), l.Sample.Rows(1, 600)
	if len(x) != 600*4 || len(y) != 600*3 {
		t.Errorf("%d and %d values", len(x), len(y))
	}
	if lowest := l.Sample.images[0].lowest(2); x[0] != l.Sample.images[0].rows[0][lowest[0]*4] || y[3] != l.Sample.images[0].rows[1][lowest[1]*3] {
		t.Error("rows are not those of the least ranks")
	}
}

// TestExchanged: an exchange leaves each network what it is, and what positions have in
// common, and takes what images have in common.
func TestExchanged(t *testing.T) {
	const samples, positions = 400, 6
	m := newMade(samples, positions)
	for at := range samples * positions { // a unit of each that follows the position
		m.data[0][at*4+3] = float32(at % positions)
		m.data[1][at*3+2] = float32((at % positions) * 2)
	}
	l := observed(t, m, Plan{Sample: true})
	own, exchanged := l.Sample.Moments(), l.Sample.Exchanged(l.Sample.Orders(rand.New(rand.NewPCG(1, 1))))
	for n := range 2 {
		if !mat.EqualApprox(own.Covariance(nil, n, n), exchanged.Covariance(nil, n, n), 1e-5) {
			t.Errorf("network %d is another", n)
		}
	}
	before, after := own.Correlation(nil, 0, 1), exchanged.Correlation(nil, 0, 1)
	if before.At(0, 0) < 0.4 || math.Abs(after.At(0, 0)) > 0.1 {
		t.Errorf("units of one cause correlate by %v, exchanged by %v", before.At(0, 0), after.At(0, 0))
	}
	if after.At(3, 2) < 0.999 {
		t.Errorf("units of positions correlate by %v after an exchange", after.At(3, 2))
	}
}

// TestStandardized: one product gives the covariances that moments of exchanged images have,
// whatever the units' scales and offsets; images of different positions have none.
func TestStandardized(t *testing.T) {
	const samples, positions = 300, 40
	m := newMade(samples, positions)
	for at := range samples * positions {
		m.data[0][at*4] = 1e6 + 3*m.data[0][at*4]
		m.data[0][at*4+1] *= 1e-20
		m.data[1][at*3] *= 1e20
		m.data[1][at*3+1] = 0.1 // constant
	}
	m.images[samples-1] = 0 // an image of two samples
	l := observed(t, m, Plan{Sample: true})
	if l.Sample.Standardized() != nil {
		t.Error("images of different positions are exchanged as if they had the same")
	}
	m.images[samples-1] = samples - 1
	l = observed(t, m, Plan{Sample: true})
	z := l.Sample.Standardized()
	for draw := range 3 {
		orders := l.Sample.Orders(nil)
		if draw > 0 {
			orders = l.Sample.Orders(rand.New(rand.NewPCG(1, uint64(draw))))
		}
		exchanged := l.Sample.Exchanged(orders)
		a, b := exchanged.Std(0), exchanged.Std(1)
		got, want, back := mat.NewDense(4, 3, nil), exchanged.Covariance(nil, 0, 1), mat.NewDense(3, 4, nil)
		z.Covariance(got, 0, 1, Partners(orders, 0, 1))
		z.Covariance(back, 1, 0, Partners(orders, 1, 0))
		for i := range 4 {
			for j := range 3 {
				if d := got.At(i, j) - want.At(i, j); !(math.Abs(d) <= 2e-6*a[i]*b[j]) {
					t.Errorf("draw %d, units %d and %d: %v, want %v", draw, i, j, got.At(i, j), want.At(i, j))
				}
			}
		}
		if d := back.At(0, 2) - got.At(2, 0); math.Abs(d) > 2e-6*a[2]*b[0] {
			t.Errorf("from the other side: %v, want %v", back.At(0, 2), got.At(2, 0))
		}
	}
}

// TestExchangedImages: samples of one image stay together.
func TestExchangedImages(t *testing.T) {
	m := newMade(90, 1)
	for i := range m.images {
		m.images[i] = uint64(i / 3)
		m.data[0][i*4], m.data[1][i*3] = float32(i%3), float32(i%3) // tells the samples of an image apart
	}
	l := observed(t, m, Plan{Sample: true})
	if l.Sample.Images() != 30 {
		t.Errorf("%d images", l.Sample.Images())
	}
	if r := l.Sample.Exchanged(l.Sample.Orders(rand.New(rand.NewPCG(1, 1)))).Correlation(nil, 0, 1).At(0, 0); r < 0.999 {
		t.Errorf("samples of an image do not stay together: %v", r)
	}
}

// TestManyImages are sampled by a hash of theirs, all positions of each.
func TestManyImages(t *testing.T) {
	m := newMade(3*sampleImages, 1)
	l := observed(t, m, Plan{Sample: true})
	if n := l.Sample.Images(); math.Abs(float64(n-sampleImages)) > 5*math.Sqrt(sampleImages) {
		t.Errorf("%d of %d images", n, m.samples)
	}
	count := 0
	for _, im := range l.Sample.images {
		if im.id < uint64(m.samples/2) {
			count++
		}
	}
	if share := float64(count) / float64(l.Sample.Images()); math.Abs(share-0.5) > 0.03 {
		t.Errorf("%v of them are of the first half", share)
	}
}

// TestSelfMoments compares with the definition.
func TestSelfMoments(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	const rows, units = 200, 3
	x, y := make([]float32, rows*units), make([]float32, rows*units)
	for i := range x {
		x[i] = float32(1e4 + rnd.NormFloat64())
		y[i] = x[i] + float32(rnd.NormFloat64())
		if i%units == 2 {
			y[i] = 5 // dead at the end
		}
	}
	m := newSelfMoments(units)
	half := rows / 2 * units
	for _, part := range [][2][]float32{{x[:half], y[:half]}, {x[half:], y[half:]}} {
		m.add(source.Tensor{Samples: rows / 2, Positions: 1, Units: units, Data: part[0]}, source.Tensor{Samples: rows / 2, Positions: 1, Units: units, Data: part[1]}, nil)
	}
	want := 0.0
	for u := range 2 {
		var a, b []float64
		for i := range rows {
			a, b = append(a, float64(x[i*units+u])), append(b, float64(y[i*units+u]))
		}
		want += stat.Correlation(a, b, nil) / 2
	}
	if got := m.MeanCorrelation(); math.Abs(got-want) > 1e-9 {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestGroupCount: groups are as many as memory allows, not more than images, and enough
// for halves.
func TestGroupCount(t *testing.T) {
	for _, c := range []struct {
		asked    int
		units    []int
		images   int
		expected int
	}{
		{0, []int{8, 8}, 500, mostGroups},
		{0, []int{8, 8}, 8, 8},
		{0, []int{1000, 1000}, 500, leastGroups},
		{1, []int{8, 8}, 500, halves},
		{40, []int{8, 8}, 500, 40},
		{0, []int{8, 8}, 1, 1},
	} {
		if got := groupCount(c.asked, c.units, c.images); got != c.expected {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// TestFromMoments: what moments alone tell.
func TestFromMoments(t *testing.T) {
	m := corr.NewMoments(2, 3)
	if err := m.Add(4, []float32{1, 2, 3, 4, 5, 6, 7, 9}, []float32{1, 2, 3, 3, 2, 1, 0, 1, 4, 4, 4, 5}); err != nil {
		t.Fatal(err)
	}
	l := FromMoments(m, "layer", []string{"a", "b"})
	if !slices.Equal(l.Units, []int{2, 3}) || l.Samples != nil || l.Positions != nil || l.Groups != nil || !mat.Equal(l.Moments.Correlation(nil, 0, 1), m.Correlation(nil, 0, 1)) {
		t.Errorf("%+v", l)
	}
}

// TestGroupsHoldAllClasses: images that go round the classes, or come sorted by class, or in
// any other order, are dealt out alike, those of each class evenly.
func TestGroupsHoldAllClasses(t *testing.T) {
	const images, classes, groups = 400, 10, 20
	around := &source.Description{ImageCount: images}
	for i := range images {
		around.ImageNames = append(around.ImageNames, fmt.Sprint("image ", i))
		around.Classes = append(around.Classes, i%classes)
	}
	order := make([]int, images) // sorted by class
	for i := range order {
		order[i] = i%(images/classes)*classes + i/(images/classes)
	}
	sorted := &source.Description{ImageCount: images}
	for _, i := range order {
		sorted.ImageNames, sorted.Classes = append(sorted.ImageNames, around.ImageNames[i]), append(sorted.Classes, around.Classes[i])
	}
	own, folds, quarters := assignGroups(around, groups, 1)
	other, otherFolds, otherQuarters := assignGroups(sorted, groups, 1)
	counts := make(map[[2]int]int)
	number := make(map[uint64]uint64) // groups of one order by those of the other
	for place, i := range order {
		counts[[2]int{int(own[i]), around.Classes[i]}]++
		if before, ok := number[own[i]]; ok && before != other[place] {
			t.Fatalf("image %d is in another group when images come sorted", i)
		}
		number[own[i]] = other[place]
		if folds[own[i]] != otherFolds[other[place]] || quarters[own[i]] != otherQuarters[other[place]] {
			t.Fatalf("image %d is in another fold or quarter when images come sorted", i)
		}
	}
	for g := range groups {
		for c := range classes {
			if n := counts[[2]int{g, c}]; n != images/classes/groups {
				t.Errorf("group %d has %d images of class %d", g, n, c)
			}
		}
	}
	parts := make(map[[2]int]int)
	for g := range folds {
		parts[[2]int{folds[g], quarters[g]}]++
	}
	for _, n := range parts {
		if len(parts) != 4 || n != groups/4 {
			t.Errorf("quarters of %v groups", parts)
		}
	}
	if another, _, _ := assignGroups(around, groups, 2); slices.Equal(own, another) {
		t.Error("another seed gives the same groups")
	}
	around.Classes = nil
	sizes := make([]int, groups)
	unclassed, _, _ := assignGroups(around, groups, 1)
	for i, g := range unclassed {
		sizes[g]++
		if i == 0 && g != 0 {
			t.Errorf("the first image is in group %d", g)
		}
	}
	if slices.Min(sizes) != images/groups || slices.Max(sizes) != images/groups {
		t.Errorf("groups of %v images", sizes)
	}
}

// rectifiedMade is a source whose activations are what a ReLU makes of others.
type rectifiedMade struct{ *made }

func (m rectifiedMade) Description() *source.Description {
	d := m.made.Description()
	d.BeforeReLU = true
	return d
}

func (m rectifiedMade) Batches(ctx context.Context) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		for b, err := range m.made.Batches(ctx) {
			b.BeforeReLU = b.Networks
			b.Networks = nil
			for _, layers := range b.BeforeReLU {
				out := layers[0]
				out.Data = slices.Clone(out.Data)
				for i, v := range out.Data {
					out.Data[i] = max(0, v)
				}
				b.Networks = append(b.Networks, []source.Tensor{out})
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// TestBeforeReLU: the inputs of the ReLU are sampled at the observations at which its outputs
// are; inputs of something else are an error that says where.
func TestBeforeReLU(t *testing.T) {
	m := newMade(300, 6)
	s := observed(t, rectifiedMade{m}, Plan{Sample: true, Seed: 1}).Sample
	if !s.Has(BeforeReLU) || s.Has(UntrainedBeforeReLU) {
		t.Fatal("other states are sampled than there are")
	}
	for n, units := range m.units {
		in, out := s.Observations(BeforeReLU, n, 700), s.Observations(Own, n, 700)
		if len(in) != units || len(in[0]) != 700 {
			t.Fatalf("%d units, %d observations", len(in), len(in[0]))
		}
		for u := range in {
			if slices.Min(in[u]) >= 0 {
				t.Error("no input is below 0")
			}
			for i, z := range in[u] {
				if out[u][i] != max(0, z) {
					t.Fatalf("network %d, unit %d: %v of %v", n, u, out[u][i], z)
				}
			}
		}
	}
	all := source.Tensor{Samples: 1, Positions: 2, Units: 1, Data: []float32{1, 0.5}}
	number := func(sample int) int { return 7 + sample }
	err := rectified(all, source.Tensor{Samples: 1, Positions: 2, Units: 1, Data: []float32{1, -0.3}}, nil, number, "network a")
	if err == nil || !strings.HasPrefix(err.Error(), "network a: sample 7, position 1, unit 0: the activation is 0.5") {
		t.Errorf("got %v", err)
	}
	if err := rectified(all, source.Tensor{Samples: 1, Positions: 2, Units: 1, Data: []float32{1, -0.3}}, []bool{true, false}, number, ""); err != nil {
		t.Errorf("padding counts: %v", err)
	}
}

// TestMemoryOfAnyWidth: what is more than an int64 holds is not taken for little.
func TestMemoryOfAnyWidth(t *testing.T) {
	for _, groups := range []int{0, 1, 100_000} {
		for bits := range 25 {
			for layers := 1; layers <= 1<<11; layers *= 128 {
				d := &source.Description{Samples: 1000, ImageCount: 1000, Networks: make([]source.Network, 2)}
				for i := range layers {
					for n := range d.Networks {
						d.Networks[n].Layers = append(d.Networks[n].Layers, source.Layer{Units: 1 << bits})
					}
					d.Aligned = append(d.Aligned, source.Aligned{Layers: []int{i, i}})
				}
				got := Memory(d, Plan{Groups: groups, Sample: true, Grid: true, Gram: 100})
				least := 8 * math.Ldexp(4, 2*bits)
				if float64(got) < least {
					t.Errorf("%d groups, %d layers of 2^%d units: %d bytes", groups, layers, bits, got)
				}
			}
		}
	}
}
