package observe

import "github.com/convergent-go/convergent/bench/convergent/internal/source"

// assignGroups deals images out to groups, as [source.Description.Deal] does. Groups are
// numbered in the order in which their first images come; every other group as they were
// dealt, whatever their numbers, is of fold 1, and every other of a fold of its quarter 1.
func assignGroups(d *source.Description, groups int, seed uint64) (assigned []uint64, folds, quarters []int) {
	number := make(map[int]uint64)
	assigned = make([]uint64, d.ImageCount)
	for image, group := range d.Deal(groups, seed) {
		if _, ok := number[group]; !ok {
			number[group] = uint64(len(number))
			folds, quarters = append(folds, group%2), append(quarters, group/2%2)
		}
		assigned[image] = number[group]
	}
	return assigned, folds, quarters
}

// groupsOf are the groups of some images.
func groupsOf(assigned, images []uint64) []uint64 {
	groups := make([]uint64, len(images))
	for i, image := range images {
		groups[i] = assigned[image]
	}
	return groups
}
