package source

import (
	"cmp"
	"slices"
)

// ImageID identifies an image: by a hash of its name, or without names by its number.
func (d *Description) ImageID(image int) uint64 {
	if d.ImageNames == nil {
		return uint64(image)
	}
	return Identify(d.ImageNames[image])
}

// Deal deals images out to lots, by a hash of their identifiers and never by their order:
// images of each class, where classes are known, are spread evenly, and lots differ by one
// image at most. It returns the lot of each image.
func (d *Description) Deal(lots int, seed uint64) []int {
	order := make([]int, d.ImageCount)
	rank := make([]uint64, d.ImageCount)
	for i := range order {
		order[i] = i
		rank[i] = Mix(seed ^ Mix(d.ImageID(i)))
	}
	slices.SortFunc(order, func(a, b int) int {
		class := 0
		if d.Classes != nil {
			class = cmp.Compare(d.Classes[a], d.Classes[b])
		}
		return cmp.Or(class, cmp.Compare(rank[a], rank[b]), cmp.Compare(a, b))
	})
	lot := make([]int, d.ImageCount)
	for place, image := range order {
		lot[image] = place % lots
	}
	return lot
}

// Mix is a bijection that spreads 64 bits (the finisher of SplitMix64: Steele, Lea and
// Flood, "Fast splittable pseudorandom number generators", 2014).
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
