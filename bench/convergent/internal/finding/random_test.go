package finding

import "testing"

// TestStreams: no two purposes share random numbers, and no draw of a purpose another's.
func TestStreams(t *testing.T) {
	taken := make(map[uint64]purpose)
	for p := matchedRotation; p <= gradientDescent; p++ {
		for draw := range 100 {
			v := random(1, p, draw).Uint64()
			if other, ok := taken[v]; ok {
				t.Errorf("purposes %d and %d draw the same", p, other)
			}
			taken[v] = p
		}
	}
	if random(1, kMeans, 3).Uint64() != random(1, kMeans, 3).Uint64() || random(1, kMeans, 3).Uint64() == random(2, kMeans, 3).Uint64() {
		t.Error("a draw does not depend on its seed alone")
	}
}
