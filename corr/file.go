package corr

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/safetensors"
)

// Versions of the files.
const (
	format         = "convergent.moments/4"
	groupsFormat   = "convergent.groups/1"
	shufflesFormat = "convergent.shuffles/1"
)

// Save writes the moments to path as safetensors, whole or not at all, so that
// adding more after LoadMoments gives the same bits as without. Tensors: units
// (I64, per network), count (I64, of the observations merged, and of those n that are
// in product alone), mean (F64), product (F64, p x p, the upper triangle of the summed
// products of deviations), centre (F32, what those n are centred on; the others on
// mean), residual (F64, the sum of the n deviations from centre), first (F32, the first
// observation), varies (I64, 1 for each live unit,
// else 0), block (F32, rows x p, observations not yet in product) and, if they were recorded,
// samples (I64, the bits of their identifiers, which rise). The metadata name networks, layers
// and units, the source of samples and their fingerprint, and have the manifest.
func (m *Moments) Save(path string) error { return safetensors.Save(path, m.file()) }

// WriteTo writes to w what Save does, and returns the number of bytes.
func (m *Moments) WriteTo(w io.Writer) (int64, error) { return safetensors.Encode(w, m.file()) }

// file returns the moments as Save writes them.
func (m *Moments) file() *safetensors.File {
	f := &safetensors.File{Metadata: map[string]string{"format": format}}
	m.encode(f, "")
	return f
}

// encode adds the moments to a file, under names with a prefix.
func (m *Moments) encode(f *safetensors.File, prefix string) {
	p := m.total()
	units, live := make([]int64, len(m.units)), make([]int64, p)
	for i, u := range m.units {
		units[i] = int64(u)
	}
	for i, v := range m.liveMask {
		live[i] = int64(v & 1)
	}
	order, prod := p, m.accumulator.prod
	if m.kept() {
		order, prod = 0, []float64{}
	}
	for _, t := range []safetensors.Tensor{
		{Name: "units", Shape: []int{len(units)}, I64: units},
		{Name: "count", Shape: []int{2}, I64: []int64{m.accumulator.count, int64(m.accumulator.rows)}},
		{Name: "mean", Shape: []int{p}, F64: m.accumulator.mean},
		{Name: "product", Shape: []int{order, order}, F64: prod},
		{Name: "centre", Shape: []int{p}, F32: m.accumulator.shift},
		{Name: "residual", Shape: []int{p}, F64: m.accumulator.sum},
		{Name: "first", Shape: []int{p}, F32: m.first},
		{Name: "varies", Shape: []int{p}, I64: live},
		{Name: "block", Shape: []int{m.rows, p}, F32: m.block[:m.rows*p]},
	} {
		t.Name = prefix + t.Name
		f.Tensors = append(f.Tensors, t)
	}
	if m.samples.ids != nil {
		ids := make([]int64, len(m.samples.ids))
		for i, id := range m.samples.ids {
			ids[i] = int64(id)
		}
		f.Tensors = append(f.Tensors, safetensors.Tensor{Name: prefix + "samples", Shape: []int{len(ids)}, I64: ids})
	}
	for key, v := range m.metadata() {
		f.Metadata[prefix+key] = v
	}
}

// LoadMoments reads moments from a file that Save wrote. Errors name the file.
func LoadMoments(path string) (*Moments, error) { return load(path, "moments", decodeMoments) }

// ReadMoments reads moments that WriteTo or Save wrote, and nothing of what follows them.
func ReadMoments(r io.Reader) (*Moments, error) { return read(r, "moments", decodeMoments) }

// load reads what decode makes of a file.
func load[T any](path, what string, decode func(*safetensors.File) (T, error)) (T, error) {
	f, err := safetensors.Load(path)
	if err != nil {
		var none T
		return none, fmt.Errorf("corr: %w", err)
	}
	x, err := decode(f)
	if err != nil {
		err = fmt.Errorf("corr: %s: not %s: %w", path, what, err)
	}
	return x, err
}

// read is load from a stream.
func read[T any](r io.Reader, what string, decode func(*safetensors.File) (T, error)) (x T, err error) {
	f, err := safetensors.Decode(r)
	if err == nil {
		x, err = decode(f)
	}
	if err != nil {
		err = fmt.Errorf("corr: not %s: %w", what, err)
	}
	return x, err
}

// checkFormat returns an error if a file has another format.
func checkFormat(f *safetensors.File, want string) error {
	if got := f.Metadata["format"]; got != want {
		return fmt.Errorf("the format is %q, want %q", got, want)
	}
	return nil
}

// decodeMoments returns the moments of a file, or an error that says what is wrong in it.
func decodeMoments(f *safetensors.File) (*Moments, error) {
	if err := checkFormat(f, format); err != nil {
		return nil, err
	}
	return decode(f, "", false)
}

// decode returns the moments under names with a prefix: those of a group may have observations
// and no products.
func decode(f *safetensors.File, prefix string, group bool) (*Moments, error) {
	tensors := make(map[string]*safetensors.Tensor)
	for _, name := range []string{"units", "count", "mean", "product", "centre", "residual", "first", "varies", "block"} {
		t, err := f.Get(prefix + name)
		if err != nil {
			return nil, err
		}
		tensors[name] = t
	}
	var units []int
	p := 0
	for _, u := range tensors["units"].I64 {
		// The mean that follows bounds what is allocated.
		if u < 1 || u > int64(len(tensors["mean"].F64)-p) {
			return nil, fmt.Errorf("units %v do not fit %d means", tensors["units"].I64, len(tensors["mean"].F64))
		}
		units = append(units, int(u))
		p += int(u)
	}
	block, counts, prod := tensors["block"], tensors["count"].I64, tensors["product"].F64
	rows := 0
	if len(block.Shape) == 2 {
		rows = block.Shape[0]
	}
	kept := group && len(prod) == 0
	order, most := p, blockRows // products, and rows of the block
	if kept {
		order, most = 0, groupRows
	}
	if len(units) == 0 || len(tensors["mean"].F64) != p || len(prod) != order*order || len(tensors["centre"].F32) != p || len(tensors["residual"].F64) != p || len(tensors["first"].F32) != p ||
		len(tensors["varies"].I64) != p || len(counts) != 2 || counts[0] < 0 || counts[1] < 0 || counts[1]%blockRows != 0 || kept && counts[0]+counts[1] > 0 ||
		rows >= most || !slices.Equal(block.Shape, []int{rows, p}) || len(block.F32) != rows*p {
		return nil, fmt.Errorf("the tensors do not fit together")
	}
	for _, values := range [][]float32{tensors["first"].F32, tensors["centre"].F32, block.F32} {
		if v, ok := allFinite(values); !ok {
			return nil, fmt.Errorf("an activation is %v", v)
		}
	}
	if v, ok := allFinite(tensors["residual"].F64); !ok {
		return nil, fmt.Errorf("a sum of deviations is %v", v)
	}
	m := newMoments(units)
	if m.capacity = blocksPerFold(p); group {
		m.Threads, m.capacity = 1, groupRows/blockRows
	}
	if !kept {
		m.accumulator = accumulator{moments{counts[0], tensors["mean"].F64, prod}, int(counts[1]), tensors["centre"].F32, tensors["residual"].F64}
		if m.accumulator.blocksLeft() < 1 {
			return nil, fmt.Errorf("%d observations that are not merged are too many", counts[1])
		}
		merged, _ := m.merged() // of full blocks
		if err := merged.validate(); err != nil {
			return nil, err
		}
	}
	m.first, m.rows = tensors["first"].F32, rows
	if err := m.setMetadata(f.Metadata, prefix); err != nil {
		return nil, err
	}
	if t, err := f.Get(prefix + "samples"); err == nil {
		m.samples.ids = make([]uint64, len(t.I64))
		for i, id := range t.I64 {
			if m.samples.ids[i] = uint64(id); i > 0 && uint64(id) <= m.samples.ids[i-1] {
				return nil, fmt.Errorf("identifiers of samples do not rise")
			}
		}
	}
	switch {
	case rows == 0:
	case group:
		m.block = block.F32
	default:
		m.makeBlock()
		copy(m.block, block.F32)
	}
	for i, v := range tensors["varies"].I64 {
		if v != 0 {
			m.liveMask[i] = math.MaxUint32
		}
	}
	return m, nil
}

// allFinite returns the first value that is NaN or infinite; ok is true if there is none.
func allFinite[T float32 | float64](x []T) (bad T, ok bool) {
	for _, v := range x {
		if w := float64(v); math.IsNaN(w) || math.IsInf(w, 0) {
			return v, false
		}
	}
	return 0, true
}

// validate returns an error unless s can be moments of activations in float32: finite, and
// products as those of deviations are, but for rounding. A file may say anything.
func (s *moments) validate() error {
	p := len(s.mean)
	if s.count > 1<<53 {
		return fmt.Errorf("%d observations", s.count)
	}
	const widest = 2 * math.MaxFloat32 // deviation
	for i, v := range s.mean {
		if !(math.Abs(v) <= math.MaxFloat32) || s.count == 0 && v != 0 {
			return fmt.Errorf("the mean of unit %d is %v", i, v)
		}
	}
	if v, ok := allFinite(s.prod); !ok { // below the diagonal, too
		return fmt.Errorf("a product is %v", v)
	}
	deviation := make([]float64, p)
	for i := range p {
		v := s.prod[i*(p+1)]
		// Of a unit that does not vary rounding leaves some digits of its mean.
		slack := float64(1e-3*math.Abs(v)) + float64(1e-10*float64(s.count)*(s.mean[i]*s.mean[i]))
		if !(v >= -slack) || !(v <= float64(s.count)*widest*widest) {
			return fmt.Errorf("the squared deviations of unit %d have the sum %v", i, v)
		}
		deviation[i] = math.Sqrt(max(0, v) + slack)
	}
	for i := range p {
		for j, v := range s.prod[i*p+i : (i+1)*p] {
			if !(math.Abs(v) <= float64(1.001*deviation[i]*deviation[i+j])+1e-300) {
				return fmt.Errorf("the products of units %d and %d have the sum %v, beyond those of their deviations", i, i+j, v)
			}
		}
	}
	return s.definite(deviation)
}

// definite returns an error unless the matrix of correlations has no negative eigenvalue,
// within rounding: with that much added to its diagonal it has a Cholesky factor.
func (s *moments) definite(deviation []float64) error {
	p := len(deviation)
	slack := float64(1e-4 * math.Sqrt(float64(p)))
	f := dense.NewFactor(par.Threads(0), p)
	f.Extend(p, 0, func(j, first int, dst []float64) {
		for k := range dst {
			dst[k] = 0
			if i := first + k; i == j {
				dst[k] = 1 + slack
			} else if d := deviation[i] * deviation[j]; i > j && d > 0 {
				dst[k] = s.prod[j*p+i] / deviation[i] / deviation[j]
			}
		}
	})
	for i := range p {
		if !f.Kept(i) {
			return fmt.Errorf("the products are those of no deviations: their matrix has a negative eigenvalue at unit %d", i)
		}
	}
	return nil
}
