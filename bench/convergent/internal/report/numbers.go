package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// dash stands for what is not known.
const dash = "–"

// valueOf is a float64 or what a *float64 points to, if anything.
func valueOf(x any) (v float64, ok bool) {
	switch x := x.(type) {
	case float64:
		return x, true
	case *float64:
		if x != nil {
			return *x, true
		}
	}
	return 0, false
}

// decimals writes a number with so many digits after the point, and zero without a sign.
func decimals(digits int, x any) string {
	v, ok := valueOf(x)
	if !ok {
		return dash
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return minus(s)
}

// pValue writes a p-value of so many draws, and marks the least that these can tell.
func pValue(draws int, x any) string {
	p, ok := valueOf(x)
	if !ok {
		return dash
	}
	if draws > 0 && p <= 1/float64(draws+1)*(1+1e-9) {
		return "≤ " + decimals(3, p)
	}
	if p < 0.0005 {
		return "< 0.001"
	}
	return decimals(3, p)
}

// minus is a number with a minus sign that is as wide as a plus.
func minus(s string) string { return strings.ReplaceAll(s, "-", "−") }

// count writes how many there are, where 0 is not known.
func count(n int) string {
	if n == 0 {
		return dash
	}
	return fmt.Sprint(n)
}

// thousands writes a count with its thousands apart.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// significantDigits writes a number with two significant digits.
func significantDigits(x any) string {
	if v, ok := valueOf(x); ok {
		return fmt.Sprintf("%.2g", v)
	}
	return dash
}

// percent writes a share.
func percent(x any) string {
	v, ok := valueOf(x)
	switch {
	case !ok:
		return dash
	case v > 0 && v < 0.001:
		return fmt.Sprintf("%.1g %%", 100*v)
	}
	return decimals(1, 100*v) + " %"
}

// interval is a value with its interval over networks, or else over images, if it has one.
func interval(m results.Measure) string {
	i := brackets(m.Networks)
	if i == "" {
		i = brackets(m.Images)
	}
	return decimals(2, m.Value) + i
}

// overNetworks is a value with its interval over networks, if it has one.
func overNetworks(m results.Measure) string { return decimals(2, m.Value) + brackets(m.Networks) }

// brackets are an interval after a figure; none of what nothing moves, as a share of 0.
func brackets(i *results.Interval) string {
	if i == nil || i.Low == i.High {
		return ""
	}
	return " " + limits(i)
}

// ends are those of an interval; a dash where there is none.
func ends(i *results.Interval) string {
	if i == nil {
		return dash
	}
	return decimals(3, &i.Low) + " to " + decimals(3, &i.High)
}

// limits are the ends of an interval; a dash where there is none.
func limits(i *results.Interval) string {
	if i == nil {
		return dash
	}
	return "[" + decimals(2, i.Low) + ", " + decimals(2, i.High) + "]"
}

// cell is a number in a table of data; nothing, if it is not known.
func cell(x any) string {
	if v, ok := valueOf(x); ok {
		return fmt.Sprintf("%.6g", v)
	}
	return ""
}
