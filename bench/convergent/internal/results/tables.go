package results

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/convergent-go/convergent/internal/artifact"
)

// tableFiles are the tables, in the order in which they are written.
var tableFiles = []string{"networks.csv", "layers.csv", "semi_matching.csv", "bipartite_matching.csv", "lasso.csv", "clusters.csv", "findings.csv"}

// Write leaves results.json and the tables, CSV files with networks and units counted
// from 0 as in results.json, in the output folder; results.json comes last, so that a
// folder that has it has all.
func Write(dir string, res *Results) error {
	if err := writeTables(dir, res); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(dir, resultsFile), res)
}

func writeTables(dir string, res *Results) error {
	networks := [][]string{{"network", "name", "seed", "file", "test_accuracy", "test_loss"}}
	for i, n := range res.Networks {
		seed := ""
		if n.Seed != nil {
			seed = strconv.FormatUint(*n.Seed, 10)
		}
		networks = append(networks, []string{num(i), n.Name, seed, n.File, cell(n.TestAccuracy), cell(n.TestLoss)})
	}
	layers := [][]string{{"layer", "a", "b", "semi_mean", "bipartite_mean", "same_partner", "rotation_null", "p"}}
	semi := [][]string{append([]string{"layer", "a", "b"}, MatchingColumns...)}
	bipartite := [][]string{semi[0]}
	lasso := [][]string{{"layer", "a", "b", "lambda", "loss", "r2", "nonzero_0.001", "nonzero_0.01", "nonzero_0.05", "gap"}}
	clusters := [][]string{append([]string{"layer", "a", "b"}, ClusterColumns...)}
	for _, l := range res.Layers {
		for _, p := range l.Pairs {
			key := []string{l.Name, num(p.A), num(p.B)}
			row := func(cells ...string) []string { return append(append([]string{}, key...), cells...) }
			layers = append(layers, row(dec(p.Semi.Mean), dec(p.Bipartite.Mean), dec(p.SamePartner), dec(p.Null.Rotation.SemiMean), dec(p.Null.Rotation.P)))
			for _, cells := range MatchingRows(p.Semi) {
				semi = append(semi, row(cells...))
			}
			for _, cells := range MatchingRows(p.Bipartite) {
				bipartite = append(bipartite, row(cells...))
			}
			for _, f := range p.Lasso {
				lasso = append(lasso, row(dec(f.Lambda), dec(f.Loss), dec(f.R2), dec(f.NonZero["0.001"]), dec(f.NonZero["0.01"]), dec(f.NonZero["0.05"]), dec(f.Gap)))
			}
			for _, cells := range ClusterRows(p.Clusters) {
				clusters = append(clusters, row(cells...))
			}
		}
	}
	findings := [][]string{{"layer", "figure", "value", "networks_low", "networks_high", "images_low", "images_high", "null", "p", "q"}}
	for _, l := range res.Layers {
		for _, f := range l.Figures() {
			findings = append(findings, append([]string{l.Name, f.Name}, f.cells()...))
		}
	}
	tables := [][][]string{networks, layers, semi, bipartite, lasso, clusters, findings}
	for i, name := range tableFiles {
		if err := artifact.WriteCSV(filepath.Join(dir, name), tables[i]); err != nil {
			return err
		}
	}
	return nil
}

// Figure is a measure with its name.
type Figure struct {
	Name string
	Measure
}

// Figures lists the layer's figures: those that test the paper's claims, and then measures,
// by name.
func (l Layer) Figures() []Figure {
	var all []Figure
	if c := l.Convergence; c != nil {
		all = append(all, Figure{"matched_r", c.Matched})
		for _, n := range c.Nulls {
			all = append(all, Figure{"exceedance_" + n.Name, n.Exceedance})
		}
		if c.HeldOut != nil {
			all = append(all, Figure{"matched_r_held_out", *c.HeldOut})
		}
		if c.Converged != nil {
			all = append(all, Figure{"converged_share", c.Converged.Share})
		}
	}
	if s := l.Subspaces; s != nil {
		for _, p := range s.Predictions {
			name := "heldout_r2_" + p.Name
			if p.Name == "lasso" {
				name += "_" + num(p.Terms)
			}
			all = append(all, Figure{name, p.R2})
		}
		if s.Angles != nil {
			all = append(all, Figure{"cluster_canonical_r", *s.Angles})
		}
	}
	if b := l.Basis; b != nil {
		all = append(all, Figure{"local_index", b.Index}, Figure{"local_index_of_axes", b.AxesIndex})
		if b.Gain != nil {
			all = append(all, Figure{"local_index_gain", *b.Gain})
		}
	}
	if a := l.Activity; a != nil {
		all = append(all, Figure{"activity_distance", a.Distance})
		if a.Gain != nil {
			all = append(all, Figure{"activity_distance_gain", *a.Gain})
		}
	}
	return append(all, l.MeanMeasures()...)
}

// MeanMeasures lists the layer's measures, by name.
func (l Layer) MeanMeasures() []Figure {
	var all []Figure
	for _, name := range slices.Sorted(maps.Keys(l.Measures)) {
		all = append(all, Figure{name, l.Measures[name]})
	}
	return all
}

// cells are value, intervals over networks and images, null, p and q; empty where not known.
func (m Measure) cells() []string {
	cells := []string{cell(m.Value)}
	for _, i := range []*Interval{m.Networks, m.Images} {
		if i == nil {
			cells = append(cells, "", "")
		} else {
			cells = append(cells, cell(&i.Low), cell(&i.High))
		}
	}
	return append(cells, cell(m.Null), cell(m.P), cell(m.Q))
}

// cell is a figure, or empty where it is not known.
func cell(v *float64) string {
	if v == nil {
		return ""
	}
	return dec(*v)
}

// The columns of the rows that follow.
var (
	MatchingColumns = []string{"unit", "partner", "r"}
	ClusterColumns  = []string{"cluster", "units_a", "units_b", "between", "between_paper", "within"}
)

// MatchingRows lists all units of A; one without a partner has -1.
func MatchingRows(m Matching) [][]string {
	var rows [][]string
	for unit, partner := range m.Partner {
		rows = append(rows, []string{num(unit), num(partner), cell(m.R[unit])})
	}
	return rows
}

// ClusterRows lists clusters, and their units with spaces between.
func ClusterRows(clusters []Cluster) [][]string {
	var rows [][]string
	for i, c := range clusters {
		rows = append(rows, []string{num(i), list(c.A), list(c.B), dec(c.Between), dec(c.BetweenPaper), dec(c.Within)})
	}
	return rows
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
