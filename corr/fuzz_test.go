package corr

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/convergent-go/convergent/internal/safetensors"
)

// FuzzMoments reads files of moments, of which any is refused or can be used.
func FuzzMoments(f *testing.F) {
	for _, rows := range []int{0, 1, 400} {
		m := NewMoments(2, 1)
		m.Describe(0, Network{Name: "a", Layer: "l", Units: []string{"u", "v"}})
		x := make([]float32, 3*rows)
		for i := range x {
			x[i] = float32(i*i%7) - 2
		}
		ids := make([]uint64, rows)
		if err := m.AddTensors(ids, Rows(x[:2*rows], rows, 2, 2), Rows(x[2*rows:], rows, 1, 1)); err != nil {
			f.Fatal(err)
		}
		path := filepath.Join(f.TempDir(), "m")
		if err := m.Save(path); err != nil {
			f.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := safetensors.Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		m, err := fromFile(file)
		if err != nil {
			return
		}
		for a := range m.Networks() {
			m.Live(a)
			m.Mean(a)
			for b := range m.Networks() {
				m.Correlation(nil, a, b)
			}
		}
		rows := make([][]float32, m.Networks())
		for a := range rows {
			rows[a] = make([]float32, m.Units(a))
		}
		if err := m.Add(1, rows...); err != nil {
			t.Error(err)
		}
	})
}
