// Package study is the reproduction of "Convergent Learning" (ICLR 2016) as
// stages, each a function from artifacts to an artifact on disk.
package study

import (
	"fmt"
	"slices"
	"strings"
)

// Schema names the layout of results.json; it changes when a field's meaning
// does.
const Schema = "convergent.results/2"

// Results is everything that a run found, as results.json holds it. Lists over
// units have one entry per unit of the layer, dead units included: their
// partner is -1 and their figures null.
type Results struct {
	Schema   string    `json:"schema"`
	Config   *Config   `json:"config,omitempty"`  // what was run, if networks were trained; equal configurations give equal results
	Dataset  *Dataset  `json:"dataset,omitempty"` // what those networks saw
	Networks []Network `json:"networks"`          // in the order of their seeds, or as given
	Layers   []Layer   `json:"layers"`            // in the order of the network
	Grids    []Grid    `json:"grids,omitempty"`   // all layers beside all layers, of networks trained elsewhere
}

// Dataset describes the images.
type Dataset struct {
	Name    string   `json:"name"`
	Classes []string `json:"classes"`
	Train   int      `json:"train"`   // images trained on
	Test    int      `json:"test"`    // images tested on
	Sampled int      `json:"sampled"` // test images whose activations were compared
}

// Network is one network. Where only activations of it were given, its name and their
// file are known.
type Network struct {
	Name         string  `json:"name,omitempty"` // of one that was trained elsewhere
	Seed         uint64  `json:"seed"`
	File         string  `json:"file"`          // relative to the output folder
	TestAccuracy float64 `json:"test_accuracy"` // share in [0, 1]
	TestLoss     float64 `json:"test_loss"`     // mean cross-entropy, nats
}

// Width says how many units the networks have, and each where they differ.
func (l Layer) Width() string {
	if len(slices.Compact(slices.Clone(l.Units))) == 1 {
		return fmt.Sprint(l.Units[0])
	}
	return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(l.Units), "[]")), ", ")
}

// Layer holds every comparison made at one layer.
type Layer struct {
	Name       string      `json:"name"`
	Units      []int       `json:"units"`                   // per network
	Rows       int64       `json:"rows"`                    // observations: images x positions
	Dead       [][]int     `json:"dead"`                    // per network, the units whose activation never changes
	MeanSorted [][]float64 `json:"mean_activations_sorted"` // per network, unit means in falling order
	UnitNames  [][]string  `json:"unit_names,omitempty"`    // per network, if they were given
	Pairs      []Pair      `json:"pairs"`                   // every a < b
}

// Pair compares network B with network A at one layer.
type Pair struct {
	A           int       `json:"a"`
	B           int       `json:"b"`
	Semi        Matching  `json:"semi_matching"`
	Bipartite   Matching  `json:"bipartite_matching"`
	SamePartner float64   `json:"same_partner"` // share of A's matched units given the same partner by both
	Lasso       []Lasso   `json:"lasso"`        // B's units predicted from A's
	Clusters    []Cluster `json:"clusters"`     // in falling order of between-net similarity
	Null        Null      `json:"null"`

	// Of networks trained elsewhere:
	Measures map[string]Measure `json:"measures,omitempty"`
}

// Matching gives each unit of A a partner in B.
type Matching struct {
	Mean    float64    `json:"mean"`    // over matched units
	Partner []int      `json:"partner"` // -1: none
	R       []*float64 `json:"r"`       // null: none
}

// Lasso is the sparse prediction of B's units from A's at one lambda, in means
// over B's live units. The objective is 1/2 E(w.z - z')^2 + lambda |w|_1 on
// units of variance 1.
type Lasso struct {
	Lambda  float64            `json:"lambda"`
	Loss    float64            `json:"loss"` // 1/2 E(w.z - z')^2, without the penalty
	R2      float64            `json:"r2"`
	NonZero map[string]float64 `json:"nonzero"` // weights per unit with |w| above the key
	Gap     float64            `json:"gap"`     // largest duality gap of any target: the certificate
}

// Cluster is one group of the joint spectral clustering.
type Cluster struct {
	A            []int   `json:"a"` // units of network A
	B            []int   `json:"b"`
	Between      float64 `json:"between"`       // mean correlation over the cluster's pairs of an A with a B unit; 0 if single-net
	BetweenPaper float64 `json:"between_paper"` // the paper's normalisation: the same sum over the squared number of units of the layer
	Within       float64 `json:"within"`        // mean of both nets' within-net similarity
}

// Null holds what the figures would be without shared features.
type Null struct {
	Rotation RotationNull `json:"rotation"`
}

// RotationNull is the semi-matching of A with randomly rotated copies of B: what
// a fully distributed code in the same subspace would give.
type RotationNull struct {
	SemiMean float64 `json:"semi_mean"` // mean over draws
	SemiStd  float64 `json:"semi_std"`
	Draws    int     `json:"draws"`
	P        float64 `json:"p"` // share of draws at or above the observed mean, with the +1 correction
}

// Measure is one figure of how alike two networks are. What is null was not asked for,
// or cannot be known from what was given.
type Measure struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"` // of the interval that 95 % of resampled images give
	High  *float64 `json:"high"`
	Null  *float64 `json:"null_mean"` // mean over draws of shuffled images
	P     *float64 `json:"p"`         // share of those at least as alike, with the +1 correction
}

// Grid compares every layer of network A with every layer of network B, by the means of
// units over the positions of an image.
type Grid struct {
	A       int          `json:"a"`
	B       int          `json:"b"`
	LayersA []string     `json:"layers_a"`
	LayersB []string     `json:"layers_b"`
	CKA     [][]*float64 `json:"cka"`       // layers of A x layers of B; null: too few images, or no live unit
	Matched [][]*float64 `json:"matched_r"` // mean correlation of the one-to-one matching
	Linear  [][]*float64 `json:"linear_r2"` // of B's units predicted from A's, adjusted for their number
}
