package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// name is what something is called, whole and as short as there is room for.
type name struct{ Full, Short string }

// nameLength is how many letters a short name has.
const nameLength = 32

// shorten returns a name on one line, without what cannot be printed, and of so many
// letters: a long one without its middle, since names that begin alike end otherwise.
func shorten(s string, length int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }), " ")
	letters := []rune(s)
	if len(letters) <= length {
		return s
	}
	tail := (length - 1) / 2
	return string(letters[:length-1-tail]) + "…" + string(letters[len(letters)-tail:])
}

// shortNames shortens names so that they stay different: without what all begin with, if
// one is long, and those that would still not be different with their number.
func shortNames(full []string) []name {
	prefix := ""
	if slices.ContainsFunc(full, func(s string) bool { return len([]rune(s)) > nameLength }) {
		prefix = commonPrefix(full)
	}
	names := make([]name, len(full))
	count := make(map[string]int)
	for i, s := range full {
		short := s
		if prefix != "" {
			short = "…" + strings.TrimPrefix(s, prefix)
		}
		names[i] = name{s, shorten(short, nameLength)}
		count[names[i].Short]++
	}
	for i := range names {
		if n := &names[i]; count[n.Short] > 1 {
			n.Short = fmt.Sprintf("%s (%d)", n.Short, i+1)
		}
	}
	return names
}

// commonPrefix is what all of several names begin with, up to a dot, slash or the like.
func commonPrefix(names []string) string {
	if len(names) < 2 {
		return ""
	}
	prefix := names[0]
	for _, s := range names {
		for !strings.HasPrefix(s, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return prefix[:strings.LastIndexAny(prefix, "./_-: ")+1]
}

// networkName is what a network is called.
func networkName(networks []results.Network, n int) string {
	return cmp.Or(networks[n].Name, fmt.Sprint("network ", n+1))
}

// networkLayer is what a network calls a layer.
func networkLayer(l results.Layer, n int) string {
	if n < len(l.NetworkLayers) {
		return cmp.Or(l.NetworkLayers[n], l.Name)
	}
	return l.Name
}

// unitName is what a unit is called: by its number, if it has no name.
func unitName(l results.Layer, n, unit int) string {
	if n < len(l.UnitNames) && unit < len(l.UnitNames[n]) {
		return l.UnitNames[n][unit]
	}
	return fmt.Sprint(unit)
}

// list joins words by commas and "and"; of more than some it counts the others.
func list(words []string, limit int) string {
	if n := len(words); n > limit {
		words = append(slices.Clone(words[:limit-1]), fmt.Sprintf("%d others", n-limit+1))
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
