package study

import (
	"encoding/csv"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/convergent-go/convergent/internal/artifact"
)

// tableFiles are the tables, in the order in which they are written.
var tableFiles = []string{"networks.csv", "layers.csv", "semi_matching.csv", "bipartite_matching.csv", "lasso.csv", "clusters.csv"}

// writeTables writes the results as CSV files, networks and units counted from
// 0 as in results.json.
func writeTables(dir string, res *Results) error {
	networks := [][]string{{"network", "seed", "file", "test_accuracy", "test_loss"}}
	for i, n := range res.Networks {
		networks = append(networks, []string{num(i), strconv.FormatUint(n.Seed, 10), n.File, dec(n.TestAccuracy), dec(n.TestLoss)})
	}
	layers := [][]string{{"layer", "a", "b", "semi_mean", "bipartite_mean", "same_partner", "rotation_null", "p"}}
	semi := [][]string{{"layer", "a", "b", "unit", "partner", "r"}}
	bipartite := [][]string{semi[0]}
	lasso := [][]string{{"layer", "a", "b", "lambda", "loss", "r2", "nonzero_0.001", "nonzero_0.01", "nonzero_0.05", "gap"}}
	clusters := [][]string{{"layer", "a", "b", "cluster", "units_a", "units_b", "between", "between_paper", "within"}}
	for _, l := range res.Layers {
		for _, p := range l.Pairs {
			key := []string{l.Name, num(p.A), num(p.B)}
			row := func(cells ...string) []string { return append(append([]string{}, key...), cells...) }
			layers = append(layers, row(dec(p.Semi.Mean), dec(p.Bipartite.Mean), dec(p.SamePartner), dec(p.Null.Rotation.SemiMean), dec(p.Null.Rotation.P)))
			for _, t := range []struct {
				table *[][]string
				m     Matching
			}{{&semi, p.Semi}, {&bipartite, p.Bipartite}} {
				for unit, partner := range t.m.Partner {
					r := ""
					if t.m.R[unit] != nil {
						r = dec(*t.m.R[unit])
					}
					*t.table = append(*t.table, row(num(unit), num(partner), r))
				}
			}
			for _, f := range p.Lasso {
				lasso = append(lasso, row(dec(f.Lambda), dec(f.Loss), dec(f.R2), dec(f.NonZero["0.001"]), dec(f.NonZero["0.01"]), dec(f.NonZero["0.05"]), dec(f.Gap)))
			}
			for i, c := range p.Clusters {
				clusters = append(clusters, row(num(i), list(c.A), list(c.B), dec(c.Between), dec(c.BetweenPaper), dec(c.Within)))
			}
		}
	}
	tables := [][][]string{networks, layers, semi, bipartite, lasso, clusters}
	for i, name := range tableFiles {
		err := artifact.Write(filepath.Join(dir, name), func(w io.Writer) error {
			return csv.NewWriter(w).WriteAll(tables[i])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func num(i int) string     { return strconv.Itoa(i) }
func dec(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// list joins units by spaces.
func list(units []int) string {
	words := make([]string, len(units))
	for i, u := range units {
		words[i] = num(u)
	}
	return strings.Join(words, " ")
}
