package compare

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/arrays"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/study"
)

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
	lasso := [][]string{{"lambda", "target", "loss", "r2", "nonzero"}}
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
	clusters := [][]string{{"cluster", "units_a", "units_b", "between", "between_paper", "within"}}
	for i, c := range p.Clusters {
		clusters = append(clusters, []string{strconv.Itoa(i), list(c.A), list(c.B), decimal(c.Between), decimal(c.BetweenPaper), decimal(c.Within)})
	}
	for _, t := range []struct {
		name string
		rows [][]string
	}{
		{"semi_matching.csv", matching(p.Semi)}, {"bipartite_matching.csv", matching(p.Bipartite)},
		{"lasso.csv", lasso}, {"clusters.csv", clusters},
	} {
		err := artifact.Write(filepath.Join(dir, t.name), func(w io.Writer) error { return csv.NewWriter(w).WriteAll(t.rows) })
		if err != nil {
			return err
		}
	}
	return writeJSON(filepath.Join(dir, "measures.json"), p.Measures)
}

// matching lists all units of A; the partner of one without is -1.
func matching(m study.Matching) [][]string {
	rows := [][]string{{"unit", "partner", "r"}}
	for unit, partner := range m.Partner {
		r := ""
		if m.R[unit] != nil {
			r = decimal(*m.R[unit])
		}
		rows = append(rows, []string{strconv.Itoa(unit), strconv.Itoa(partner), r})
	}
	return rows
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// list joins units by spaces.
func list(units []int) string {
	words := make([]string, len(units))
	for i, u := range units {
		words[i] = strconv.Itoa(u)
	}
	return strings.Join(words, " ")
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return artifact.WriteFile(path, append(b, '\n'))
}
