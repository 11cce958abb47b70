package results

// Verdict is what stated rules make of the tests of one claim.
type Verdict struct {
	Claim      string      `json:"claim"`     // "convergence", "subspaces", "basis" or "activity": claims 1 to 4
	Shown      []string    `json:"shown"`     // layers in which every statement that was tested is shown
	NotShown   []string    `json:"not_shown"` // the others of which the first was tested
	Statements []Statement `json:"statements"`
}

// Statement is one of the statements that a claim comes down to, by the layers in which a
// rule shows it. What is not shown is not refuted.
type Statement struct {
	Name      string     `json:"name"`
	Shown     []string   `json:"shown"`
	NotShown  []string   `json:"not_shown"`
	NotTested []string   `json:"not_tested,omitempty"` // what was given does not allow the test
	Q         []*float64 `json:"q,omitempty"`          // of each layer, by Benjamini and Hochberg over layers; null where not tested; none of rules about intervals
}

// Statements, each with the rule that shows it at a layer. Rates of false discoveries are
// over the layers of a comparison; intervals are of 95 %, over other networks, or of two
// networks over other images where there is one.
const (
	UnitsCorrespond  = "units_correspond"  // matched r is beyond the strictest rotation that is known: q <= 0.05
	FeaturesShared   = "features_shared"   // of four networks or more, more features are found in three or more than by chance: q <= 0.05
	FeaturesRecur    = "features_recur"    // of three networks or more, more features are found in all than by chance: q <= 0.05
	BeyondUntrained  = "beyond_untrained"  // a larger share of units is beyond its rotated units than before training: the interval of the difference is above 0
	SubspacesShared  = "subspaces_shared"  // units of a cluster span what the other network's units in it span, beyond those of rotated units clustered anew: q <= 0.05
	BasesDiffer      = "bases_differ"      // all units of another network explain more of a unit, on images held out, than its best partner: the interval of the difference is above 0
	NotDistributed   = "not_distributed"   // the index is beyond that of random bases: q <= 0.05
	NotLocal         = "not_local"         // the interval of the index is below 1
	LocalityLearned  = "locality_learned"  // the interval of what training adds to the index is above 0
	ActivitiesEquate = "activities_equate" // sorted mean activations are equivalent within the margin: q <= 0.05
)
