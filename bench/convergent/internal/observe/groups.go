package observe

import (
	"cmp"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// assignGroups deals images out to groups, by a hash of their identifiers and never by
// their order: images of each class, where classes are known, are spread evenly, and groups
// differ by one image at most. Groups are numbered in the order in which their first images
// come; every other group as they were dealt, whatever their numbers, is of fold 1,
// and every other of a fold of its quarter 1.
func assignGroups(d *source.Description, groups int, seed uint64) (assigned []uint64, folds, quarters []int) {
	order := make([]int, d.ImageCount)
	rank := make([]uint64, d.ImageCount)
	for i := range order {
		order[i] = i
		rank[i] = mix(seed ^ mix(imageID(d, i)))
	}
	slices.SortFunc(order, func(a, b int) int {
		class := 0
		if d.Classes != nil {
			class = cmp.Compare(d.Classes[a], d.Classes[b])
		}
		return cmp.Or(class, cmp.Compare(rank[a], rank[b]), cmp.Compare(a, b))
	})
	groupOf := make([]int, d.ImageCount)
	for place, image := range order {
		groupOf[image] = place % groups
	}
	number := make(map[int]uint64)
	assigned = make([]uint64, d.ImageCount)
	for image, group := range groupOf {
		if _, ok := number[group]; !ok {
			number[group] = uint64(len(number))
			folds, quarters = append(folds, group%2), append(quarters, group/2%2)
		}
		assigned[image] = number[group]
	}
	return assigned, folds, quarters
}

// imageID identifies an image: by a hash of its name, or without names by its number.
func imageID(d *source.Description, image int) uint64 {
	if d.ImageNames == nil {
		return uint64(image)
	}
	return source.Identify(d.ImageNames[image])
}

// groupsOf are the groups of some images.
func groupsOf(assigned, images []uint64) []uint64 {
	groups := make([]uint64, len(images))
	for i, image := range images {
		groups[i] = assigned[image]
	}
	return groups
}
