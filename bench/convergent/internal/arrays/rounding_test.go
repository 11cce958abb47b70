package arrays

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// drain reads all rows.
func drain(t *testing.T, r *Rows) error {
	t.Helper()
	defer r.Close()
	dst := make([]float32, 10*r.Units)
	for {
		if _, err := r.Read(dst); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// TestRounding reads float64 and integers of many means and scales, in all layouts and
// orders: what float32 keeps of them passes, and what would make correlations wrong is
// an error that names the unit.
func TestRounding(t *testing.T) {
	const samples, units = 500, 3
	for name, c := range map[string]struct {
		dtype string
		mean  float64
		scale float64
		want  bool // whether it is read
	}{
		"small mean":      {"<f8", 1, 1, true},
		"mean 100":        {"<f8", 100, 1, true},
		"mean 1e4":        {"<f8", 1e4, 1, false},
		"mean 1e6":        {"<f8", 1e6, 1, false},
		"mean 1e10":       {"<f8", 1e10, 1, false},
		"big-endian":      {">f8", 1e6, 1, false},
		"scale 1e-30":     {"<f8", 1e-30, 1e-30, true},
		"scale 1e-50":     {"<f8", 0, 1e-50, false},
		"scale 1e-200":    {"<f8", 0, 1e-200, false},
		"scale 1e-43":     {"<f8", 0, 1e-43, false},
		"scale 1e30":      {"<f8", 0, 1e30, true},
		"float32":         {"<f4", 1e6, 1, true}, // which is all that is known
		"float32 as f8":   {"f4f8", 1e6, 1, true},
		"constant":        {"<f8", 1e10, 0, true},
		"constant third":  {"<f8", 1. / 3, 0, true},
		"integers":        {"<i8", 0, 1000, true},
		"large integers":  {"<i8", 1 << 40, 1000, false},
		"largest":         {"<i8", 1 << 62, 2000, false}, // which float64 hardly tells apart
		"int32":           {"<i4", 1 << 30, 1000, false},
		"uint32":          {">u4", 3 << 30, 1000, false},
		"uint64":          {"<u8", 1 << 63, 1000, false},
		"uint32, spread":  {"<u4", 1 << 31, 1 << 28, true},
		"integers by 256": {"<i4", 0, 256, true},
	} {
		for layout, shape := range map[Layout][]int{ND: {samples, units}, NTD: {50, 10, units}, NCHW: {20, units, 5, 5}, NHWC: {20, 5, 5, units}} {
			for _, fortran := range []bool{false, true} {
				rnd := rand.New(rand.NewPCG(1, 2))
				at := layout.unitsAt()
				stride := 1
				order := slices.Clone(shape)
				if fortran {
					slices.Reverse(order)
					at = len(order) - 1 - at
				}
				for _, d := range order[at+1:] {
					stride *= d
				}
				var data []byte
				for i := range volume(shape) {
					x := rnd.NormFloat64()
					if i/stride%units == 1 { // the unit at fault
						x = c.mean + c.scale*x
					}
					data = appendElement(data, c.dtype, x)
				}
				dtype := c.dtype
				if dtype == "f4f8" {
					dtype = "<f8"
				}
				f, err := listBytes("x.npy", npyFile(dtype, fortran, shape, data))
				if err != nil {
					t.Fatal(err)
				}
				err = drain(t, rows(t, f.Arrays[0], layout))
				if (err == nil) != c.want || err != nil && !strings.Contains(err.Error(), "x.npy: unit 1 varies by ") {
					t.Errorf("%s, %s, Fortran %v: %v", name, layout, fortran, err)
				}
			}
		}
	}
}

func appendElement(b []byte, dtype string, x float64) []byte {
	switch dtype {
	case "<f8":
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	case "f4f8":
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(float32(x))))
	case ">f8":
		return binary.BigEndian.AppendUint64(b, math.Float64bits(x))
	case "<f4":
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(x)))
	case "<i8":
		return binary.LittleEndian.AppendUint64(b, uint64(int64(x)))
	case "<u8":
		return binary.LittleEndian.AppendUint64(b, uint64(max(0, x)))
	case "<i4":
		return binary.LittleEndian.AppendUint32(b, uint32(int32(x)))
	case "<u4":
		return binary.LittleEndian.AppendUint32(b, uint32(max(0, x)))
	case ">u4":
		return binary.BigEndian.AppendUint32(b, uint32(max(0, x)))
	}
	panic(fmt.Sprint("no type ", dtype))
}

// TestRoundingTellsTheTruth: what passes errs by no more than is promised, and what is
// refused would mostly have erred by more.
func TestRoundingTellsTheTruth(t *testing.T) {
	const n = 1000
	for _, mean := range []float64{0, 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7} {
		worst := 0.0
		refused := 0
		for seed := range uint64(20) {
			rnd := rand.New(rand.NewPCG(3, seed))
			r := NewRounding(1)
			x, y, z := make([]float64, n), make([]float64, n), make([]float64, n)
			for i := range n {
				x[i] = mean + rnd.NormFloat64()
				z[i] = x[i] - mean + rnd.NormFloat64()
				y[i] = float64(float32(x[i]))
				r.Add(0, x[i], float32(x[i]))
			}
			if r.Err() != nil {
				refused++
				continue
			}
			worst = max(worst, math.Abs(correlation(x, z)-correlation(y, z)))
		}
		if worst > maxError {
			t.Errorf("mean %g: a correlation errs by %g", mean, worst)
		}
		if mean <= 100 && refused > 0 || mean >= 1e4 && refused < 20 {
			t.Errorf("mean %g: %d refused", mean, refused)
		}
	}
}

func correlation(x, y []float64) float64 {
	var mx, my, xx, xy, yy float64
	for i := range x {
		mx += x[i] / float64(len(x))
		my += y[i] / float64(len(x))
	}
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		xy += (x[i] - mx) * (y[i] - my)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}
