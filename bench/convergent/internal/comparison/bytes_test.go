package comparison

import (
	"os"
	"strings"
	"testing"
)

// TestBytes runs a short study, whose networks, moments, matchings and sparse predictions
// have the bytes that testdata/bytes.sha256 says, whatever the machine, the instruction
// set, the build and the number of threads. CI runs it under each of these; after a change
// that is meant to change bytes, CONVERGENT_BYTES=write writes the file anew.
func TestBytes(t *testing.T) {
	o := tiny(t.TempDir())
	o.Nets, o.Epochs, o.TrainImages, o.Images = 2, 1, 64, 8 // an emulated machine is slow
	o.Layers = nil                                          // all, with every kind of convolution
	reproduce(t, o)
	got := digest(t, o.Out)
	const file = "testdata/bytes.sha256"
	if os.Getenv("CONVERGENT_BYTES") == "write" {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(got) {
		if !strings.Contains(string(want), line) {
			t.Errorf("not what %s says: %s", file, line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("files %s, want %s", got, want)
	}
}
