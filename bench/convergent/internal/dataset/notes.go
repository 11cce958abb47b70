package dataset

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// passed counts files that are passed over, by the ends of their names.
type passed map[string]int

func (p passed) add(name string) {
	end := strings.ToLower(path.Ext(name))
	if end == "" {
		end = "no ending"
	}
	p[end]++
}

// addAll adds what other counts.
func (p passed) addAll(other passed) {
	for end, n := range other {
		p[end] += n
	}
}

// String says how many there are of which.
func (p passed) String() string {
	var all []string
	for _, end := range slices.Sorted(maps.Keys(p)) {
		all = append(all, fmt.Sprintf("%d of %s", p[end], end))
	}
	return strings.Join(all, ", ")
}

// unread is an error if there are images among them, of formats that are not read.
func (p passed) unread() error {
	images := make(passed)
	for end, n := range p {
		if isUnreadImage("x" + end) {
			images[end] = n
		}
	}
	if len(images) == 0 {
		return nil
	}
	return fmt.Errorf("images of formats that are not read: %v; convert them to %s, or remove them", images, formats)
}
