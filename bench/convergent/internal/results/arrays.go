package results

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/safetensors"
	"github.com/convergent-go/convergent/match"
)

// Detail is what is known of a pair of networks beyond results.
type Detail struct {
	LiveA, LiveB []int            // units that are compared
	Lasso        []match.LassoFit // of the live units, with weights
	Lambda       float64          // whose weights are shown
	W            *mat.Dense       // those, all units of A x all units of B
}

// PairFolder names the folder of a pair of networks, counted from 1, in that of a layer.
func PairFolder(p *Pair) string { return fmt.Sprintf("%d-%d", p.A+1, p.B+1) }

// PairFiles are what WritePair and WriteMeasures write.
var PairFiles = []string{
	"correlation_between.npy", "correlation_within_a.npy", "correlation_within_b.npy", "lasso_weights.npz",
	"semi_matching.csv", "bipartite_matching.csv", "lasso.csv", "clusters.csv", "measures.json",
}

// WritePair writes a pair's matrices and tables into a folder, units counted from 0.
func WritePair(dir string, m *corr.Moments, p *Pair, d *Detail) error {
	for _, c := range []struct {
		name string
		a, b int
	}{{"between", p.A, p.B}, {"within_a", p.A, p.A}, {"within_b", p.B, p.B}} {
		if err := arrays.WriteNPY(filepath.Join(dir, "correlation_"+c.name+".npy"), corr.ZeroNaN(m.Correlation(nil, c.a, c.b))); err != nil {
			return err
		}
	}
	var weights []arrays.Named
	var lasso [][]string
	for _, f := range d.Lasso {
		w := AllUnits(f.W, d.LiveA, d.LiveB, m.Units(p.A), m.Units(p.B))
		weights = append(weights, arrays.Named{Name: dec(f.Lambda), Values: w})
		for j, target := range d.LiveB {
			nonzero := 0
			for i := range d.LiveA {
				if f.W.At(i, j) != 0 {
					nonzero++
				}
			}
			lasso = append(lasso, []string{dec(f.Lambda), strconv.Itoa(target), dec(f.Loss[j]), dec(f.R2[j]), strconv.Itoa(nonzero)})
		}
	}
	if err := arrays.WriteNPZ(filepath.Join(dir, "lasso_weights.npz"), weights); err != nil {
		return err
	}
	for _, t := range []struct {
		name    string
		columns []string
		rows    [][]string
	}{
		{"semi_matching.csv", MatchingColumns, MatchingRows(p.Semi)},
		{"bipartite_matching.csv", MatchingColumns, MatchingRows(p.Bipartite)},
		{"lasso.csv", []string{"lambda", "target", "loss", "r2", "nonzero"}, lasso},
		{"clusters.csv", ClusterColumns, ClusterRows(p.Clusters)},
	} {
		if err := artifact.WriteCSV(filepath.Join(dir, t.name), append([][]string{t.columns}, t.rows...)); err != nil {
			return err
		}
	}
	return nil
}

// BetweenFiles are what WriteBetween writes.
var BetweenFiles = []string{"semi_matching.csv", "semi_matching_back.csv", "bipartite_matching.csv", "mutual.csv"}

// WriteBetween writes tables of a pair of which nothing within either network is known.
func WriteBetween(dir string, p *Pair) error {
	mutual := slices.DeleteFunc(MatchingRows(p.Between.Mutual), func(row []string) bool { return row[1] == "-1" })
	for i, rows := range [][][]string{MatchingRows(p.Semi), MatchingRows(p.Between.Back), MatchingRows(p.Bipartite), mutual} {
		if err := artifact.WriteCSV(filepath.Join(dir, BetweenFiles[i]), append([][]string{MatchingColumns}, rows...)); err != nil {
			return err
		}
	}
	return nil
}

// WriteMeasures writes a pair's measures.
func WriteMeasures(dir string, p *Pair) error {
	return artifact.WriteJSON(filepath.Join(dir, "measures.json"), p.Measures)
}

// AllUnits returns a matrix over live units as one over all, zero elsewhere.
func AllUnits(live *mat.Dense, a, b []int, unitsA, unitsB int) *mat.Dense {
	m := mat.NewDense(unitsA, unitsB, nil)
	for i, u := range a {
		for j, v := range b {
			m.Set(u, v, live.At(i, j))
		}
	}
	return m
}

// WriteMapping writes the LASSO's weights at the lambda that is shown.
func WriteMapping(path string, d *Detail) error {
	rows, cols := d.W.Dims()
	return safetensors.Save(path, &safetensors.File{Tensors: []safetensors.Tensor{
		{Name: "lambda", Shape: []int{1}, F64: []float64{d.Lambda}},
		{Name: "weights", Shape: []int{rows, cols}, F64: d.W.RawMatrix().Data},
	}})
}

// openMapping reads what WriteMapping wrote for a layer.
func openMapping(path string, l Layer) (w *mat.Dense, lambda float64, err error) {
	f, err := safetensors.Load(path)
	if err != nil {
		return nil, 0, err
	}
	weights, err := f.Get("weights")
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	at, err := f.Get("lambda")
	if err != nil || len(at.F64) != 1 || len(weights.F64) != l.Units[0]*l.Units[1] {
		return nil, 0, fmt.Errorf("%s: not a mapping of %d units to %d", path, l.Units[0], l.Units[1])
	}
	return mat.NewDense(l.Units[0], l.Units[1], weights.F64), at.F64[0], nil
}
