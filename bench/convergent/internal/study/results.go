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
const Schema = "convergent.results/3"

// Results is everything that a run found, as results.json holds it. Lists over
// units have one entry per unit of the layer, dead units included: their
// partner is -1 and their figures null.
type Results struct {
	Schema   string    `json:"schema"`
	Config   *Config   `json:"config,omitempty"`  // what was run, if networks were trained; equal configurations give equal results
	Dataset  *Dataset  `json:"dataset,omitempty"` // what those networks saw
	Networks []Network `json:"networks"`          // in the order of their seeds, or as given
	Layers   []Layer   `json:"layers"`            // in the order of the network
	Grids    []Grid    `json:"grids,omitempty"`   // all layers beside all layers

	// Of networks that were trained here:
	Growth []Stage `json:"growth,omitempty"` // from before training to its end
	Widths []Width `json:"widths,omitempty"` // rising, the networks' own among them, if others were trained
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

	// The paper's four claims, of networks that this program ran:
	Convergence *Convergence `json:"convergence,omitempty"`
	Subspaces   *Subspaces   `json:"subspaces,omitempty"`
	Basis       *Basis       `json:"basis,omitempty"`
	Activity    *Activity    `json:"activity,omitempty"`
	Descent     []Descent    `json:"descent,omitempty"` // one for each lambda
}

// Convergence is claim 1: some features are found by several networks, others are not.
// Correlations are those of the one-to-one matching, of all pairs of networks.
type Convergence struct {
	Matched     Measure       `json:"matched_r"`     // mean over units and pairs; its null is of rotated units
	Percentiles []float64     `json:"r_percentiles"` // 0 to 100, over units and pairs
	Nulls       []MatchedNull `json:"nulls"`
	FoundIn     [][]int       `json:"found_in"` // per network and unit, the number of other networks that have it, beyond the limit of rotated units; -1: dead
}

// MatchedNull is what matching finds where there is nothing to find.
type MatchedNull struct {
	Name        string    `json:"name"` // "rotation": units of B turned into a random basis of their space; "shuffle": B sees other images; "untrained": the same networks before training
	Mean        float64   `json:"mean"`
	Percentiles []float64 `json:"r_percentiles"` // 0 to 100, over units, pairs and draws
	Limit       float64   `json:"limit"`         // the 99th of them
	Beyond      Measure   `json:"beyond"`        // the share of matched units above it, which is 1 % of the null's
	Found       []float64 `json:"found"`         // the share of live units that 0, 1, 2, ... others have, beyond the limit
	Expected    []float64 `json:"expected"`      // the same if each other had it with the chance of 1 %
	Draws       int       `json:"draws"`
	P           *float64  `json:"p"` // the share of draws whose mean is at least that of the networks, with the +1 correction; null for untrained ones, which are one draw
}

// Subspaces is claim 2: networks span common subspaces with different basis vectors.
type Subspaces struct {
	Predictions []Prediction `json:"predictions"`
	Needed      []Share      `json:"needed"`    // of units that are predicted at all, by how many terms give 90 % of the full map's R²; 0: more than any here
	Predicted   float64      `json:"predicted"` // the share of units of which the full map explains 10 % or more
	Angles      *Measure     `json:"angles"`    // mean canonical correlation between the spans of both networks' units in a spectral cluster; its null is of random groups of the same sizes, its interval over pairs of networks
	Together    []Cell       `json:"together"`  // clusters by their numbers of units, mean over pairs
}

// Prediction is the share of the variance of one network's units that another's explain,
// on images that had no part in the fit: half of them each time.
type Prediction struct {
	Name  string    `json:"name"`  // "full": least squares from all units; "lasso": from the units that come first on the LASSO's path, refitted; "best": from the best partner
	Terms int       `json:"terms"` // units in a prediction; 0: all
	R2    Measure   `json:"r2"`    // mean over units, pairs and directions; the null of the full map is of untrained networks
	AB    []float64 `json:"ab"`    // of each pair, B's units from A's
	BA    []float64 `json:"ba"`
}

// Share is how many of all.
type Share struct {
	Terms int     `json:"terms"`
	Share float64 `json:"share"`
}

// Cell counts clusters of so many units of either network.
type Cell struct {
	A     int     `json:"a"`
	B     int     `json:"b"`
	Count float64 `json:"count"`
}

// Basis is claim 3: the code lies between a local one, in which units mean something,
// and a distributed one, in which only the space that they span does. Units have
// variance 1; correlations are means of the one-to-one matching over units and pairs.
type Basis struct {
	Degrees []float64 `json:"degrees"` // by which B's basis is turned, on average over planes: from 0 to the 90 of a random rotation
	Units   []float64 `json:"units"`   // matched r in the networks' own basis, B's turned by that
	Axes    []float64 `json:"axes"`    // matched |r| of principal axes, B's turned by that
	Aligned float64   `json:"aligned"` // matched r after the rotation of B that brings it nearest to A
	Index   Measure   `json:"index"`   // (own - random) / (aligned - random): 0 is fully distributed, 1 local
	// AxesIndex is the same for principal axes: whether the spaces' main directions
	// agree as units do.
	AxesIndex Measure `json:"axes_index"`
}

// Activity is claim 4: sorted mean activations are alike.
type Activity struct {
	Distance  Measure `json:"distance"`  // mean over pairs: area between the curves over that beneath them; its null deals the units of both at random, p is the share of deals at least as far apart
	Untrained float64 `json:"untrained"` // distance of networks from themselves before training
	Decades   float64 `json:"decades"`   // log10 of the most over the least active live unit, mean over networks
}

// Descent is the prediction of network 1's units from network 0's at one lambda, on a
// sample of positions: exact, and as stochastic gradient descent has it. Figures are means
// over live units.
type Descent struct {
	Lambda    float64         `json:"lambda"`
	Rows      int             `json:"rows"`
	Loss      float64         `json:"loss"`
	Objective float64         `json:"objective"` // with the penalty: nothing can have less
	NonZero   float64         `json:"nonzero"`   // weights other than 0
	Gap       float64         `json:"gap"`       // largest duality gap
	Runs      []DescentResult `json:"sgd"`
}

// DescentResult is where the descent was after some passes over the rows.
type DescentResult struct {
	Epochs    int                `json:"epochs"`
	Loss      float64            `json:"loss"`
	Objective float64            `json:"objective"`
	NonZero   map[string]float64 `json:"nonzero"` // weights with |w| above the key: none is ever 0
}

// Stage is the networks after some epochs, in means over all pairs.
type Stage struct {
	Epoch  int          `json:"epoch"`
	Layers []StageLayer `json:"layers"`
}

// StageLayer is a layer of a stage or width.
type StageLayer struct {
	Name    string  `json:"name"`
	Matched float64 `json:"matched_r"` // mean of the one-to-one matching
	Rotated float64 `json:"rotated_r"` // the same with rotated units
	Final   float64 `json:"final_r"`   // of a unit with itself at the end of training; 1 of a width
}

// Width is two networks of another width, of the first two seeds.
type Width struct {
	Width    float64      `json:"width"`
	Networks []Network    `json:"networks"`
	Units    []int        `json:"units"`
	Layers   []StageLayer `json:"layers"`
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

// Measure is one figure with what belongs to it. What is null was not asked for, or
// cannot be known from what was given.
type Measure struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"` // of a 95 % interval over resampled images
	High  *float64 `json:"high"`
	Null  *float64 `json:"null_mean"` // mean under chance: of shuffled images, if nothing else is said
	P     *float64 `json:"p"`         // share of draws of chance that are at least as far out, with the +1 correction
}

// Grid compares every layer of network A with every layer of network B, by the means of
// units over the positions of an image.
type Grid struct {
	A       int          `json:"a"`
	B       int          `json:"b"`
	LayersA []string     `json:"layers_a"`
	LayersB []string     `json:"layers_b"`
	CKA     [][]*float64 `json:"cka"`       // layers of A x layers of B; null, here and below: too few images, or no live unit
	Matched [][]*float64 `json:"matched_r"` // mean correlation of the one-to-one matching
	Linear  [][]*float64 `json:"linear_r2"` // of B's units predicted from A's, adjusted for their number
}
