// Package results is what a comparison leaves in its output folder: the schema of
// results.json, tables, arrays, and the folder itself, in which a run that was stopped
// goes on.
package results

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Schema names the layout of results.json; it changes when a field's meaning
// does.
const Schema = schemaFamily + "5"

const schemaFamily = "convergent.results/"

// Results is everything that a comparison found, as results.json holds it. Lists over
// units have one entry per unit of the layer, dead units included: their partner is -1
// and their figures null. What is not known is null or left out, never 0. Networks and
// units count from 0.
type Results struct {
	Schema   string    `json:"schema"`
	Config   Config    `json:"config"`            // equal configurations give equal results
	Dataset  *Dataset  `json:"dataset,omitempty"` // what networks that were run here saw
	Networks []Network `json:"networks"`          // in the order of their seeds, or as given
	Layers   []Layer   `json:"layers"`            // in the order of the network
	Verdicts []Verdict `json:"verdicts"`          // what stated rules make of the tests, claim by claim
	Grids    []Grid    `json:"grids,omitempty"`   // all layers beside all layers, of the first four networks

	// Of networks that were trained here:
	Growth []Checkpoint `json:"growth,omitempty"` // from before training to its end
	Widths []Width      `json:"widths,omitempty"` // rising, the networks' own among them, if others were trained
}

// Config is everything that results depend on.
type Config struct {
	Training    *Training    `json:"training,omitempty"`    // of networks that were run here
	Activations *Activations `json:"activations,omitempty"` // of networks of which only these were given
	Analysis    Analysis     `json:"analysis"`
}

// Procedural is Training's Data where images are generated, for which no file is needed.
const Procedural = "procedural"

// Training says which networks are run here, and on what.
type Training struct {
	Data        string    `json:"data"`               // Procedural, or the name of the file or folder of images
	TrainImages int       `json:"train_images"`       // limit; 0: all
	TestImages  int       `json:"test_images"`        // limit; 0: all
	Arch        string    `json:"arch"`               // "caffenet32", "tiny10" or "resnet20", as package nn has them
	Width       float64   `json:"width"`              // of the networks, times the channels that they have
	Networks    []string  `json:"networks,omitempty"` // names of files of networks that were trained elsewhere and are not trained here
	Nets        int       `json:"nets"`
	Seed        uint64    `json:"seed"` // of the first network; the others follow
	Epochs      int       `json:"epochs"`
	Batch       int       `json:"batch"`
	Rate        float64   `json:"rate"` // the learning rate's maximum
	Layers      []string  `json:"layers"`
	Images      int       `json:"images"`           // test images whose activations are compared
	Widths      []float64 `json:"widths,omitempty"` // two more networks are trained of each, and compared
	Fingerprint string    `json:"fingerprint"`      // of the images and labels used, and of networks trained elsewhere
}

// Activations says which activations were given, and how they were read.
type Activations struct {
	Networks   []string `json:"networks"` // names of their files or folders
	Names      []string `json:"names,omitempty"`
	Layouts    string   `json:"layouts,omitempty"`
	LayerFiles bool     `json:"layer_files,omitempty"`
	Layers     []string `json:"layers,omitempty"`
	Pairings   []string `json:"pairings,omitempty"`   // layers of different names that are compared, NETWORK:LAYER=NETWORK:LAYER
	ByOrder    bool     `json:"by_order,omitempty"`   // layers are compared by their order
	Pool       bool     `json:"pool,omitempty"`       // means over positions instead of positions
	SampleIDs  []string `json:"sample_ids,omitempty"` // names of files, here and below
	ImageIDs   []string `json:"image_ids,omitempty"`
	Classes    []string `json:"classes,omitempty"`
	UnitNames  []string `json:"unit_names,omitempty"`
	Masks      []string `json:"masks,omitempty"`
	BeforeReLU []string `json:"before_relu,omitempty"`
	Baseline   []string `json:"baseline,omitempty"` // names of files of the same networks before training
	Images     string   `json:"images,omitempty"`   // name of the images that the samples are

	// Of ONNX networks, which are run:
	Data       string       `json:"data,omitempty"`       // name of the images that they look at
	Inputs     string       `json:"inputs,omitempty"`     // or of the file of what else they read
	Samples    int          `json:"samples,omitempty"`    // at most so many; 0: 500 images, or all inputs
	Batch      int          `json:"batch,omitempty"`      // so many at a time; 0: by what they take
	Preprocess []Preprocess `json:"preprocess,omitempty"` // what is done to images for each network
}

// Preprocess is what is done to an image before a network sees it: its shorter edge is made
// Resize long, a piece is cut out of the middle, and value v of a channel, from 0 to 255,
// becomes (v/Scale - Mean) / Std.
type Preprocess struct {
	Preset string    `json:"preset"` // that it began with
	Resize int       `json:"resize"` // 0: as long as the piece needs
	Crop   []int     `json:"crop"`   // height and width of the piece
	Scale  float64   `json:"scale"`
	Mean   []float64 `json:"mean"` // of red, green and blue
	Std    []float64 `json:"std"`
	Order  string    `json:"order"` // of the channels, "rgb" or "bgr"
}

// Analysis says how activations are compared.
type Analysis struct {
	Lambdas  []float64 `json:"lambdas"`  // of the LASSO
	Clusters int       `json:"clusters"` // of the spectral clustering; 0: the paper's share, 40/96 of a network's units, at most 256
	Draws    int       `json:"draws"`    // of random rotations
	Shuffles int       `json:"shuffles"` // of images
	Gram     int       `json:"gram"`     // images every two of which are compared, at most; 0: none
	Groups   int       `json:"groups"`   // of images, for intervals; 0: 10 to 25, fewer in wide layers; 1: no intervals
	Seed     uint64    `json:"seed"`     // of all that is drawn

	Between bool `json:"between,omitempty"` // nothing within networks is computed
}

// Dataset describes the images.
type Dataset struct {
	Name    string   `json:"name"`
	Classes []string `json:"classes"`
	Train   int      `json:"train"`   // images trained on
	Test    int      `json:"test"`    // images tested on
	Sampled int      `json:"sampled"` // test images whose activations were compared
}

// Network is one network. Of one that was not run here no more than its name and file
// is known.
type Network struct {
	Name         string   `json:"name"`
	Seed         *uint64  `json:"seed"`          // null of one that was trained elsewhere
	File         string   `json:"file"`          // of parameters, relative to the output folder, or of activations, as given
	TestAccuracy *float64 `json:"test_accuracy"` // share in [0, 1]
	TestLoss     *float64 `json:"test_loss"`     // mean cross-entropy, nats
}

// Layer holds every comparison made at one layer.
type Layer struct {
	Name          string      `json:"name"`
	NetworkLayers []string    `json:"network_layers"`          // per network, what it calls the layer
	Units         []int       `json:"units"`                   // per network
	UnitNames     [][]string  `json:"unit_names,omitempty"`    // per network, if they were given
	Samples       *int64      `json:"samples"`                 // null of files of moments
	Positions     []int       `json:"positions"`               // of a sample: height and width, tokens; empty if it has one; null of files of moments
	Rows          int64       `json:"rows"`                    // observations: samples x positions, those masked left out
	Dead          [][]int     `json:"dead"`                    // per network, the units whose activation never changes
	MeanSorted    [][]float64 `json:"mean_activations_sorted"` // per network, unit means in falling order
	Pairs         []Pair      `json:"pairs"`                   // every a < b

	Measures map[string]Measure `json:"measures"` // mean over pairs, and over both directions of those that pairs have as _ab and _ba, by name

	// The paper's four claims; what was given may not allow all of them.
	Convergence *Convergence `json:"convergence,omitempty"`
	Subspaces   *Subspaces   `json:"subspaces,omitempty"`
	Basis       *Basis       `json:"basis,omitempty"`
	Activity    *Activity    `json:"activity,omitempty"`
	Descent     []Descent    `json:"descent,omitempty"` // one for each lambda

	Geometry *Geometry `json:"geometry,omitempty"`
}

// Width says how many units the networks have, and each where they differ.
func (l Layer) Width() string {
	if len(slices.Compact(slices.Clone(l.Units))) == 1 {
		return fmt.Sprint(l.Units[0])
	}
	return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(l.Units), "[]")), ", ")
}

// Convergence is claim 1: some features are learned by several networks, others are not.
// Correlations are those of the one-to-one matching, of all pairs of networks.
//
// The strictest null that is known is that of units rotated before the ReLU, else after it:
// what follows from a limit, other than in Nulls, follows from its limit.
type Convergence struct {
	Matched     Measure       `json:"matched_r"`          // mean over units and pairs; its null is the strictest rotation
	HeldOut     *Measure      `json:"held_out"`           // the same on one half of the images, of units matched on the other, in means of both directions; null where no images can be held out
	Percentiles []float64     `json:"r_percentiles"`      // 0 to 100, over units and pairs
	Nulls       []MatchedNull `json:"nulls"`              // rotations first
	Converged   *Converged    `json:"converged"`          // units, one by one
	Features    []Feature     `json:"features,omitempty"` // from those that all networks have to those of two; none of two networks
	Recurrence  [][]int       `json:"recurrence"`         // per network and unit, the number of other networks in which it has a partner beyond the limit; -1: dead
}

// MatchedNull is what matching gives where there is nothing to find.
type MatchedNull struct {
	Name        string    `json:"name"` // "rotation": units of B turned into a random basis of their space; "rotation_before": the same of what the ReLU makes them of, and then made as sparse as they are, at a sample of observations; "shuffle": B sees other images; "untrained": the same networks before training
	Mean        float64   `json:"mean"`
	Observed    float64   `json:"observed"`             // matched r of the networks on the observations that the null is of, a sample or all
	Percentiles []float64 `json:"r_percentiles"`        // 0 to 100, over units, pairs and draws
	Limit       float64   `json:"limit"`                // the 99th of them
	Exceedance  Measure   `json:"exceedance"`           // the share of matched units above it, which is 1 % of the null's
	Untrained   *float64  `json:"untrained_exceedance"` // the same of the networks before training, beside their own rotated units; null where not known, and of other nulls
	Gain        *Measure  `json:"exceedance_gain"`      // what training adds to the exceedance; null likewise
	Draws       int       `json:"draws"`
	P           *float64  `json:"p"` // the share of draws whose mean is at least that of the networks, with the +1 correction; null for untrained ones, which are one draw

	// Of a run that computed nothing within networks, of which Observed and Exceedance are, too:
	Units        int `json:"sampled_units,omitempty"`        // of network A, spread evenly, matched with all of B, at most
	Observations int `json:"sampled_observations,omitempty"` // at which they are
}

// Converged tests each matched unit of every pair of networks against its own correlations
// when units are rotated.
type Converged struct {
	Null       string       `json:"null"`        // the name of that rotation
	Rate       float64      `json:"rate"`        // the false discovery rate at which units count as found
	Share      Measure      `json:"share"`       // of matched units that are found, in means over pairs
	Tests      int          `json:"tests"`       // matched units of all pairs; 0: too few draws for a test
	LeastCount int          `json:"least_count"` // of units that must be found at once for any to be, since draws tell no smaller p-values
	Q          [][]*float64 `json:"q"`           // by pair, of each unit of A, the least rate at which it is found; null: no partner, or no test
}

// Feature is features that so many networks have: one unit of each, all matched to each
// other beyond the limit. A unit belongs to one at most.
type Feature struct {
	Networks int      `json:"networks"`
	Count    int      `json:"count"`
	Share    float64  `json:"share"`    // of live units that belong to one
	Expected float64  `json:"expected"` // their count by chance: the same units are matched in each two networks, with partners dealt out anew
	P        *float64 `json:"p"`        // the share of draws with at least as many features of so many networks or more; null of two
}

// Subspaces is claim 2: networks span common subspaces with different basis vectors.
// Predictions and what follows from them are empty or null where no images can be held
// out.
type Subspaces struct {
	Predicted      []int        `json:"predicted_units"` // units of each network that are predicted: all live ones, or of many some, spread evenly
	Clustered      []int        `json:"clustered_units"` // likewise, that are clustered for Angles
	Predictions    []Prediction `json:"predictions"`
	Gain           *Measure     `json:"gain"`            // R² of all units less that of the best partner
	TermCounts     []TermCount  `json:"term_counts"`     // of units that are predicted at all, by how many terms give 90 % of the full map's R²; 0: more than any here
	PredictedShare *float64     `json:"predicted_share"` // of units of which the full map explains 10 % or more

	// Angles is the mean canonical correlation between the spans of both networks' units in
	// a spectral cluster. Clusters are those of one half of the images and correlations
	// those of the other, where there are images; of its null B's units are turned into a
	// random basis of their space, and clustered anew in every draw.
	Angles          *Measure      `json:"angles"`
	UntrainedAngles *float64      `json:"untrained_angles"` // the same of the networks before training
	ClusterSizes    []ClusterSize `json:"cluster_sizes"`    // of the clusters of all images, mean over pairs of networks
}

// Prediction is the share of the variance of one network's units that another's explain,
// on images that had no part in the fit: half of them each time. R² of a single unit is
// bounded above alone; figures that one unit cannot spoil stand side by side.
type Prediction struct {
	Name             string    `json:"name"`                   // "full": least squares from all units; "lasso": from the units that come first on the LASSO's path, refitted; "best": from the best partner
	Terms            int       `json:"terms"`                  // units in a prediction; 0: all
	R2               Measure   `json:"r2"`                     // 1 - what is not explained of all units' variance over that variance, mean over pairs and directions; the null of the full map is of untrained networks
	Median           *float64  `json:"r2_median"`              // over units, mean over pairs and directions
	Clipped          *float64  `json:"r2_clipped_mean"`        // mean of max(0, R²) over units, pairs and directions
	UntrainedMedian  *float64  `json:"untrained_median"`       // of the full map between untrained networks
	UntrainedClipped *float64  `json:"untrained_clipped_mean"` // likewise
	AB               []float64 `json:"ab"`                     // R2 of each pair, B's units from A's
	BA               []float64 `json:"ba"`
}

// TermCount is the share of units that need so many terms.
type TermCount struct {
	Terms int     `json:"terms"`
	Share float64 `json:"share"`
}

// ClusterSize counts clusters of so many units of either network.
type ClusterSize struct {
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
	// AlignedAxes is the same of principal axes: matched |r| of A's with B's after the
	// rotation that brings these nearest to A's.
	AlignedAxes float64 `json:"aligned_axes"`
	Index       Measure `json:"index"` // (own - random) / (aligned - random): 0 is fully distributed, 1 local
	// AxesIndex is the same for principal axes, whose ceiling is AlignedAxes: whether the
	// spaces' main directions agree as far as directions can.
	AxesIndex Measure `json:"axes_index"`
	// UntrainedIndex is Index of the networks before training: what of it the architecture
	// alone has. Gain is what training adds to it, Index less UntrainedIndex.
	UntrainedIndex *float64 `json:"untrained_index"`
	Gain           *Measure `json:"gain"`
}

// Activity is claim 4: sorted mean activations are alike.
type Activity struct {
	Distance    Measure      `json:"distance"`           // mean over pairs: area between the curves over that beneath them; its null exchanges the units of both networks at random, p is the share of exchanges at least as far apart
	Equivalence *Equivalence `json:"equivalence"`        // null if it cannot be tested
	Untrained   *float64     `json:"untrained"`          // distance of networks from themselves before training
	Initial     *float64     `json:"untrained_distance"` // Distance of the networks before training: what initialisation alone gives
	Gain        *Measure     `json:"distance_gain"`      // Distance less Initial: negative where training brings curves together
	Decades     *float64     `json:"decades"`            // log10 of the most over the least active live unit, mean over networks
}

// Equivalence is the test of whether a distance is below a margin. Failing to find a
// difference does not show it; an upper limit below the margin does.
type Equivalence struct {
	Margin     float64 `json:"margin"`     // that the distance has to be below
	Over       string  `json:"over"`       // what Upper is over: "networks", other networks such as these; or of two networks "images", other images for these
	Upper      float64 `json:"upper"`      // 95 % upper confidence limit of the distance: the upper end of a 90 % interval
	P          float64 `json:"p"`          // of a distance as small as this if the true one were the margin
	Equivalent bool    `json:"equivalent"` // p <= 0.05
}

// Descent is the prediction of network 1's units from network 0's at one lambda, on a
// sample of positions: exact, and as stochastic gradient descent has it. Figures are means
// over live units.
type Descent struct {
	Lambda    float64         `json:"lambda"`
	Rows      int             `json:"rows"`
	Units     int             `json:"units"` // of network 1 that are predicted: all live ones, or of many some, spread evenly
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

// Geometry compares networks by which images are alike to each: by what every two images
// have in common, in the means of units over the positions of an image.
type Geometry struct {
	Images   int               `json:"images"` // of which every two are compared
	Measures []GeometryMeasure `json:"measures"`
}

// GeometryMeasure is a measure of that: the mean over pairs of networks, and of each pair.
// Nulls are of images exchanged as a whole.
type GeometryMeasure struct {
	Name  string    `json:"name"`
	Mean  Measure   `json:"mean"`
	Pairs []Measure `json:"pairs"` // in the order of the layer's
}

// Checkpoint is the networks after some epochs, in means over all pairs.
type Checkpoint struct {
	Epoch  int            `json:"epoch"`
	Layers []LayerSummary `json:"layers"`
}

// LayerSummary is a layer of a checkpoint or width. Figures are null where no pair of
// networks has live units.
type LayerSummary struct {
	Name    string   `json:"name"`
	Matched *float64 `json:"matched_r"` // mean of the one-to-one matching
	Rotated *float64 `json:"rotated_r"` // the same with rotated units
	Final   *float64 `json:"final_r"`   // of a unit with itself at the end of training; null of a width
}

// Width is two networks of another width, of the first two seeds.
type Width struct {
	Width    float64        `json:"width"`
	Networks []Network      `json:"networks"`
	Units    []int          `json:"units"`
	Layers   []LayerSummary `json:"layers"`
}

// Pair compares network B with network A at one layer.
type Pair struct {
	A           int                `json:"a"`
	B           int                `json:"b"`
	Semi        Matching           `json:"semi_matching"`
	Bipartite   Matching           `json:"bipartite_matching"`
	SamePartner float64            `json:"same_partner"` // share of A's matched units given the same partner by both
	Lasso       []Lasso            `json:"lasso"`        // B's units predicted from A's
	Clusters    []Cluster          `json:"clusters"`     // in falling order of between-net similarity
	Null        Null               `json:"null"`
	Between     *Between           `json:"between_only,omitempty"` // of a run that computed nothing within networks
	Measures    map[string]Measure `json:"measures"`               // by name: as package corr has them, "matched", and those of images held out, "cv_..."
}

// Between is what such a run knows of a pair beside.
type Between struct {
	Back   Matching `json:"semi_matching_back"` // of B's units, with best partners in A
	Mutual Matching `json:"mutual"`             // of units that are each other's best partners
	Proof  Proof    `json:"proof"`
}

// Proof is what shows the one-to-one matching to be the best: in the last pass over all
// correlations none was further above the dual variables than the excess.
type Proof struct {
	Passes     int     `json:"passes"`
	Candidates int     `json:"candidates"` // pairs of units that were considered
	Excess     float64 `json:"excess"`
}

// Matching gives each unit of A a partner in B.
type Matching struct {
	Mean    float64    `json:"mean"`    // over matched units
	Partner []int      `json:"partner"` // -1: none
	R       []*float64 `json:"r"`       // null: none
}

// Matched is how many units have a partner.
func (m Matching) Matched() (n int) {
	for _, r := range m.R {
		if r != nil {
			n++
		}
	}
	return n
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

// Cluster is one group of the joint spectral clustering of live units.
type Cluster struct {
	A []int `json:"a"` // units of network A
	B []int `json:"b"`
	// Between is the mean correlation over the cluster's pairs of an A unit with a B
	// unit; 0, as in the paper, of a cluster with units of one network only.
	Between float64 `json:"between"`
	// BetweenPaper is the paper's normalisation: the same sum over the product of the
	// numbers of live units that A and B have in the layer (the paper's S squared).
	BetweenPaper float64 `json:"between_paper"`
	// Within is the mean correlation over pairs of two different units of one network, a
	// unit with itself left out, averaged over the networks that the cluster has units
	// of; a network's only unit counts 1.
	Within float64 `json:"within"`
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

	Observed *float64 `json:"observed,omitempty"` // that mean, where the null is of some units and observations
}

// Measure is one figure with what belongs to it. What is null was not asked for, or
// cannot be known from what was given.
type Measure struct {
	Value     *float64  `json:"value"`
	Corrected *float64  `json:"corrected,omitempty"`  // less its bias over images, as far as the jackknife tells: the middle of the interval over images
	Networks  *Interval `json:"networks"`             // 95 %, over other networks (seeds), by the jackknife over networks; null of fewer than three, and of figures of which none is known to cover
	Images    *Interval `json:"images"`               // 95 %, over other images for these very networks, by the jackknife over groups of them: around Corrected, of the figure of all such images; around Value, of what as many images give on average; null of figures of which none is known to cover, and where images are few
	Null      *float64  `json:"null_mean"`            // mean under chance: of images exchanged at random, if nothing else is said
	P         *float64  `json:"p"`                    // share of draws of chance that are at least as far out, with the +1 correction
	Q         *float64  `json:"q,omitempty"`          // p of this among all of its kind: the least false discovery rate (Benjamini and Hochberg, 1995) at which it is found; of measures, in the family of all measures, pairs and layers
	Draws     int       `json:"draws,omitempty"`      // of chance that P, Limit and Calibrated are from: of what is costly in wide layers fewer than asked for
	Limit     *float64  `json:"null_limit,omitempty"` // what 95 % of chance do not pass: the 0.95 quantile of similarities, 0.05 of distances

	// Calibrated is how far a similarity whose most is 1 is beyond the limit, (s - limit)/(1 -
	// limit), or 0 (Groeger, Wen and Brbic, ICML 2026): what chance can give counts for
	// nothing. Where images are exchanged s is not Value but the same figure of the sampled
	// observations, which the limit is of.
	Calibrated *float64 `json:"calibrated,omitempty"`
}

// Interval is a confidence interval.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// NewInterval returns an interval, or nil if an end of it is not known.
func NewInterval(low, high float64) *Interval {
	if Finite(low) == nil || Finite(high) == nil {
		return nil
	}
	return &Interval{low, high}
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
	Linear  [][]*float64 `json:"linear_r2"` // of B's units predicted from A's, mean over these

	// Of images that are exchanged as a whole, those of one network for others, some layers
	// are alike too; the more layers, the more alike the most alike are.
	CKALimit *float64 `json:"cka_limit,omitempty"` // what 95 % of exchanges do not pass with any two layers
	CKAP     *float64 `json:"cka_p,omitempty"`     // share of exchanges whose most alike layers are at least as alike as the networks' own, with the +1 correction

	// CalibratedCKA is (cka - limit)/(1 - limit), or 0, over the images that are exchanged.
	CalibratedCKA [][]*float64 `json:"calibrated_cka,omitempty"`
}

// Finite returns a pointer to what JSON can hold, or nil.
func Finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
