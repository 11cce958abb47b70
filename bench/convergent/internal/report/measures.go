package report

import (
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// measureText says what a measure is called and how it is read.
type measureText struct {
	title     string
	method    string // of corr.Pair, which documents it
	span      string // its range
	distance  bool
	invariant string // to what of the units
}

// What measures are invariant to.
const (
	toOrder     = "order of units, one factor"
	toScales    = "order and scales of units"
	toRotations = "rotations, one factor"
	toMaps      = "invertible linear maps"
)

var measureTexts = map[string]measureText{
	"matched":     {"one-to-one matching", "MeanMaxCorrelation", "−1 to 1", false, toScales},
	"best":        {"semi-matching", "MeanMaxCorrelation", "−1 to 1", false, toScales},
	"excess":      {"semi-matching less rotated null", "Excess", "−2 to 2", false, toScales},
	"cka":         {"linear CKA", "CKA", "0 to 1", false, toRotations},
	"rv":          {"RV coefficient", "RV", "0 to 1", false, toRotations},
	"cca":         {"mean CCA", "MeanCCA", "0 to 1", false, toMaps},
	"svcca":       {"SVCCA", "SVCCA", "0 to 1", false, toRotations},
	"pwcca":       {"PWCCA", "PWCCA", "0 to 1", false, "one factor of the first, invertible maps of the second"},
	"procrustes":  {"Procrustes distance", "Procrustes", "0 to 1.41", true, toRotations},
	"nbs":         {"normalised Bures similarity", "NBS", "0 to 1", false, toRotations},
	"angular":     {"angular Procrustes distance", "AngularProcrustes", "0 to 1.57", true, toRotations},
	"permutation": {"permutation distance", "Permutation", "0 to 2", true, toOrder},
	"overlap":     {"eigenspace overlap", "EigenspaceOverlap", "0 to 1", false, toRotations},
	"gulp":        {"GULP distance", "GULP", "from 0", true, toRotations},
	"linear":      {"linear R²", "Linear", "0 to 1", false, "invertible maps of the first"},
	"ridge":       {"ridge R²", "Ridge", "up to 1", false, "rotations of the first"},
}

// documentation is where measures are documented.
const documentation = "https://pkg.go.dev/github.com/convergent-go/convergent/corr#Pair."

// measureName is a measure as tables show it.
type measureName struct {
	Title, Key, Link string
	Distance         bool
	Range, Invariant string
}

// describeMeasure says how a measure of results.json is read.
func describeMeasure(key string) measureName {
	base, held := strings.CutPrefix(key, "cv_")
	direction := ""
	for suffix, arrow := range map[string]string{"_ab": " →", "_ba": " ←"} {
		if b, ok := strings.CutSuffix(base, suffix); ok {
			base, direction = b, arrow
		}
	}
	over := ""
	for suffix, text := range map[string]string{"_median": ", median over units", "_clipped": ", below 0 taken as 0"} {
		if b, ok := strings.CutSuffix(base, suffix); ok {
			base, over = b, text
		}
	}
	t, known := measureTexts[base]
	if !known {
		return measureName{Title: key, Key: key, Range: dash, Invariant: dash}
	}
	n := measureName{Title: t.title + over, Key: key, Link: documentation + t.method, Distance: t.distance, Range: t.span, Invariant: t.invariant}
	if held {
		n.Title += ", held-out images"
		if base == "linear" || base == "ridge" {
			n.Range = "up to 1"
		}
		if strings.HasSuffix(over, "as 0") {
			n.Range = "0 to 1"
		}
	}
	n.Title += direction
	return n
}

// withoutTwins leaves out RV where it is CKA, of which the name then says so.
func withoutTwins(all []measure) []measure {
	twins := false
	cka := -1
	for i, m := range all {
		if m.Key == "cka" {
			cka = i
		}
	}
	var kept []measure
	for _, m := range all {
		if m.Key == "rv" && cka >= 0 && equalValues(m.Pairs, all[cka].Pairs) {
			twins = true
			continue
		}
		kept = append(kept, m)
	}
	if twins {
		kept[cka].Title += " (and RV coefficient)"
	}
	return kept
}

// equalValues says whether figures are the same but for rounding.
func equalValues(a, b []results.Measure) bool {
	for i := range a {
		x, known := valueOf(a[i].Value)
		y, other := valueOf(b[i].Value)
		if known != other || x-y > 1e-9 || y-x > 1e-9 {
			return false
		}
	}
	return true
}
