package flags

import (
	"slices"
	"testing"
)

func TestSpell(t *testing.T) {
	got := Spell([]string{"reproduce", "-nets", "3", "--out=x", "-h", "-lambdas", "-1", "-seed=2", "-"})
	want := []string{"reproduce", "--nets", "3", "--out=x", "-h", "--lambdas=-1", "--seed=2", "-"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
