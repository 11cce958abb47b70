package natural

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestOrder(t *testing.T) {
	want := []string{
		"", "a", "a/2", "a/10", "a\t1", "a-1/1", "a.png", "a01/b", "a01/d", "a1/a", "a1/c", "a10/b", "part", "part-", "part-01", "part-1", "part-2", "part-2b", "part-10",
		"part-18446744073709551617", "part-a", "parz",
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Compare)
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	text := rapid.StringMatching(`[a0-2./]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := text.Draw(t, "a"), text.Draw(t, "b"), text.Draw(t, "c")
		if Compare(a, b) != -Compare(b, a) || (Compare(a, b) == 0) != (a == b) {
			t.Fatalf("%q and %q have no order", a, b)
		}
		if Compare(a, b) <= 0 && Compare(b, c) <= 0 && Compare(a, c) > 0 {
			t.Fatalf("%q, %q, %q go round", a, b, c)
		}
	})
}

func Example() {
	names := []string{"part-10", "part-2", "part-1"}
	slices.SortFunc(names, Compare)
	fmt.Println(names)
	// Output: [part-1 part-2 part-10]
}

// TestNearest: what contains a name comes before what is short.
func TestNearest(t *testing.T) {
	names := []string{"Add", "relu", "block_1_expand_relu/Relu6", "Conv1_relu/Relu6", "Conv2_relu/Relu6", "layer1.0.relu_1"}
	for asked, want := range map[string]string{"conv1": "Conv1_relu/Relu6", "cnov2": "Conv2_relu/Relu6", "block1": "block_1_expand_relu/Relu6", "layer1.0.relu2*": "layer1.0.relu_1", "rel": "relu", "add": "Add"} {
		if got := Nearest(asked, names); got[0] != want || len(got) != len(names) {
			t.Errorf("%s: %q, want %s first", asked, got, want)
		}
	}
}
