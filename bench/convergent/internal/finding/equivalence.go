package finding

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// equivalenceMargin is how far apart sorted mean activations may be and still count as one
// curve: a tenth of the area beneath them.
const equivalenceMargin = 0.1

// equivalenceLevel is the level of the test, and 1 less that of the upper limit.
const equivalenceLevel = 0.05

// distanceFreedom is the degrees of freedom of a mean distance over networks: as many as keep
// the errors of the test at its level. The jackknife's own, one less than there are
// networks, do not, since few networks that lie close together by chance seem to vary little
// as well ([TestEquivalenceErrors]). Of three networks there is one.
func distanceFreedom(networks int) float64 { return float64(min(2, networks-2)) }

// spread is how far a mean distance is known, as a standard error of Student's t with some
// degrees of freedom: over networks that of its logarithm, since the error of distances
// grows with them.
type spread struct {
	over        string
	value, se   float64
	freedom     float64
	logarithmic bool
}

// distanceSpread is over networks, where there are three or more, or else over images; nil
// without either.
func (f pairFigure) distanceSpread() *spread {
	if j := f.networks(nil); len(j.Without) > 0 {
		logs := corr.Jackknife{Value: math.Log(j.Value), Rows: j.Rows}
		for _, v := range j.Without {
			logs.Without = append(logs.Without, math.Log(v))
		}
		se := logs.StandardError()
		if slices.Min(j.Without) == slices.Max(j.Without) {
			se = 0 // of copies too, whose logarithm is that of 0
		}
		return &spread{"networks", j.Value, se, distanceFreedom(len(j.Without)), true}
	}
	if j := f.images(); len(j.Without) > 0 {
		return &spread{"images", j.Value, j.StandardError(), float64(len(j.Without) - 1), false}
	}
	return nil
}

// limit is that many standard errors above the distance.
func (s *spread) limit(errors float64) float64 {
	if s.logarithmic {
		return s.value * math.Exp(errors*s.se)
	}
	return s.value + float64(errors*s.se)
}

// below is how many standard errors the distance is below another.
func (s *spread) below(other float64) float64 {
	if s.logarithmic {
		return math.Log(other/s.value) / s.se
	}
	return (other - s.value) / s.se
}

// interval is a confidence interval.
func (s *spread) interval() *results.Interval {
	t := distuv.StudentsT{Sigma: 1, Nu: s.freedom}.Quantile((1 + confidence) / 2)
	return results.NewInterval(s.limit(-t), s.limit(t))
}

// equivalence tests whether a distance is below the margin. Of two one-sided tests (Schuirmann,
// "A comparison of the two one-sided tests procedure and the power approach", Journal of
// Pharmacokinetics and Biopharmaceutics 15, 1987) the other is void: no distance is below 0.
// It is nil where nothing says how far the distance is known.
func (s *spread) equivalence() *results.Equivalence {
	if s == nil {
		return nil
	}
	e := &results.Equivalence{Margin: equivalenceMargin, Over: s.over}
	t := distuv.StudentsT{Sigma: 1, Nu: s.freedom}
	e.Upper, e.P = s.limit(t.Quantile(1-equivalenceLevel)), t.Survival(s.below(equivalenceMargin))
	if results.Finite(e.Upper) == nil || results.Finite(e.P) == nil {
		return nil
	}
	e.Equivalent = e.P <= equivalenceLevel
	return e
}
