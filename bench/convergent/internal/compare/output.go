package compare

import (
	"path/filepath"
	"strconv"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/bench/convergent/internal/study"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/artifact"
)

// pairFiles are what writePair writes.
var pairFiles = []string{
	"correlation_between.npy", "correlation_within_a.npy", "correlation_within_b.npy", "lasso_weights.npz",
	"semi_matching.csv", "bipartite_matching.csv", "lasso.csv", "clusters.csv", "measures.json",
}

// writePair writes a pair's matrices and tables, units counted from 0.
func writePair(dir string, m *corr.Moments, p *study.Pair, d *study.Detail) error {
	for _, c := range []struct {
		name string
		a, b int
	}{{"between", p.A, p.B}, {"within_a", p.A, p.A}, {"within_b", p.B, p.B}} {
		if err := arrays.WriteNPY(filepath.Join(dir, "correlation_"+c.name+".npy"), m.Correlation(nil, c.a, c.b)); err != nil {
			return err
		}
	}
	var weights []arrays.Named
	var lasso [][]string
	for _, f := range d.Lasso {
		w := study.Whole(f.W, d.LiveA, d.LiveB, m.Units(p.A), m.Units(p.B))
		weights = append(weights, arrays.Named{Name: decimal(f.Lambda), Values: w})
		for j, target := range d.LiveB {
			nonzero := 0
			for i := range d.LiveA {
				if f.W.At(i, j) != 0 {
					nonzero++
				}
			}
			lasso = append(lasso, []string{decimal(f.Lambda), strconv.Itoa(target), decimal(f.Loss[j]), decimal(f.R2[j]), strconv.Itoa(nonzero)})
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
		{"semi_matching.csv", study.MatchingColumns, study.MatchingRows(p.Semi)},
		{"bipartite_matching.csv", study.MatchingColumns, study.MatchingRows(p.Bipartite)},
		{"lasso.csv", []string{"lambda", "target", "loss", "r2", "nonzero"}, lasso},
		{"clusters.csv", study.ClusterColumns, study.ClusterRows(p.Clusters)},
	} {
		if err := artifact.WriteCSV(filepath.Join(dir, t.name), append([][]string{t.columns}, t.rows...)); err != nil {
			return err
		}
	}
	return artifact.WriteJSON(filepath.Join(dir, "measures.json"), p.Measures)
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
