package report

import (
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// statementTexts say what the statements of claims are, and what shows them.
var statementTexts = map[string]struct{ says, rule string }{
	results.UnitsCorrespond:  {"Units of two networks correspond one to one beyond chance.", "matched r is beyond that of rotated units, before the ReLU if its inputs are known: q ≤ 0.05"},
	results.FeaturesShared:   {"Features recur in three networks or more.", "more are found than if the same units had other partners: q ≤ 0.05"},
	results.FeaturesRecur:    {"Features recur in all networks.", "more are found in all of them than if the same units had other partners: q ≤ 0.05"},
	results.BeyondUntrained:  {"Training makes more units correspond.", "the share of units beyond rotated ones is larger than before training: the interval of the difference is above 0"},
	results.SubspacesShared:  {"Groups of units span common subspaces.", "canonical correlations in clusters, on images held out, are beyond those of rotated units clustered anew: q ≤ 0.05"},
	results.BasesDiffer:      {"The bases of these differ.", "all units of the other network explain more of a unit, on images held out, than its best partner: the interval of the difference is above 0"},
	results.NotDistributed:   {"The code is not fully distributed.", "the index is beyond that of random bases: q ≤ 0.05"},
	results.NotLocal:         {"The code is not local.", "the interval of the index is below 1"},
	results.LocalityLearned:  {"Training makes it more local.", "the interval of what it adds to the index is above 0"},
	results.ActivitiesEquate: {"Sorted mean activations are the same.", "a test of equivalence: q ≤ 0.05"},
}

// verdictRow is a statement of a claim in the table of verdicts.
type verdictRow struct {
	Claim                      string // its title
	Says, Rule                 string
	Shown, NotShown, NotTested string // layers, by their short names
}

// verdictRows are those of the claims that the page has.
func (c *contents) verdictRows(claims []claim) []verdictRow {
	var rows []verdictRow
	for _, of := range claims {
		v := c.verdict(of.ID)
		if v == nil {
			continue
		}
		for _, s := range v.Statements {
			text := statementTexts[s.Name]
			row := verdictRow{Claim: of.Title, Says: text.says, Rule: text.rule, Shown: c.layersListed(s.Shown), NotShown: c.layersListed(s.NotShown), NotTested: c.layersListed(s.NotTested)}
			rows = append(rows, row)
		}
	}
	return rows
}

// verdict is that of a claim; nil if there is none.
func (c *contents) verdict(id string) *results.Verdict {
	i := slices.IndexFunc(c.Results.Verdicts, func(v results.Verdict) bool { return v.Claim == id })
	if i < 0 {
		return nil
	}
	return &c.Results.Verdicts[i]
}

// verdictLines say of each statement of a claim that was tested where its rule shows it.
func (c *contents) verdictLines(id string) []string {
	v := c.verdict(id)
	if v == nil {
		return nil
	}
	var lines []string
	for _, s := range v.Statements {
		says := strings.TrimSuffix(statementTexts[s.Name].says, ".")
		switch tested := len(s.Shown) + len(s.NotShown); {
		case tested == 0:
		case len(s.NotShown) == 0 && tested > 1:
			lines = append(lines, says+": shown in all layers.")
		case len(s.Shown) == 0 && tested > 1:
			lines = append(lines, says+": not shown in any layer.")
		case len(s.NotShown) == 0:
			lines = append(lines, says+": shown.")
		case len(s.Shown) == 0:
			lines = append(lines, says+": not shown.")
		default:
			lines = append(lines, says+": shown in "+c.listed(s.Shown)+", not in "+c.listed(s.NotShown)+".")
		}
	}
	return lines
}

// layersListed lists layers, all of them by one word.
func (c *contents) layersListed(layers []string) string {
	if len(layers) > 1 && len(layers) == len(c.layers) {
		return "all layers"
	}
	return c.listed(layers)
}

// listed lists layers by their short names; a dash for none.
func (c *contents) listed(layers []string) string {
	var names []string
	for _, l := range layers {
		i := slices.IndexFunc(c.layers, func(of layer) bool { return of.Name == l })
		names = append(names, c.layers[i].Title.Short)
	}
	if len(names) == 0 {
		return dash
	}
	return list(names, namedLayers)
}
