package natural

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest returns names in the order of how near they are to one that was asked for, in which
// * and ? stand for letters: a name is near if a part of it takes few changes of letters, as
// conv1 is a part of /features/conv1/Conv, and of several the one that takes fewest as a whole.
// Capital letters are small ones here.
func Nearest(asked string, names []string) []string {
	asked = strings.ToLower(strings.NewReplacer("*", "", "?", "").Replace(asked))
	type near struct {
		name        string
		part, whole int
	}
	all := make([]near, len(names))
	for i, name := range names {
		all[i].name = name
		all[i].part, all[i].whole = distances(asked, strings.ToLower(name))
	}
	slices.SortStableFunc(all, func(a, b near) int { return cmp.Or(cmp.Compare(a.part, b.part), cmp.Compare(a.whole, b.whole)) })
	sorted := make([]string, len(names))
	for i, n := range all {
		sorted[i] = n.name
	}
	return sorted
}

// distances are how many letters must be put in, taken out or replaced to make a name of b: of
// the part of b that takes the fewest, and of all of it (Sellers; Levenshtein).
func distances(a, b string) (part, whole int) {
	x, y := []rune(a), []rune(b)
	parts, wholes := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range wholes {
		wholes[j] = j // what precedes a part costs nothing
	}
	for i, r := range x {
		for _, row := range [][]int{parts, wholes} {
			before := row[0]
			row[0] = i + 1
			for j, s := range y {
				replaced := before
				if r != s {
					replaced++
				}
				before = row[j+1]
				row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
			}
		}
	}
	return slices.Min(parts), wholes[len(y)]
}
