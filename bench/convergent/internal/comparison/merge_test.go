package comparison

import (
	"context"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/safetensors"
)

// accumulated makes moments in a folder, and returns their file.
func accumulated(t *testing.T, in source.Options, path string) string {
	t.Helper()
	files, err := Accumulate(context.Background(), in, Options{}, path)
	if err != nil {
		t.Fatal(err)
	}
	return files[0]
}

// mergeAll merges files, and returns the bytes of the sum.
func mergeAll(t *testing.T, out string, o MergeOptions, files ...string) string {
	t.Helper()
	o.Overwrite = true
	if _, err := Merge(context.Background(), files, out, o); err != nil {
		t.Fatalf("%v: %v", files, err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestShards: however the tree of shards is cut, and in whatever order they come, their sum has
// the same bytes, and is that of all samples at once but for rounding. Some have no sample.
func TestShards(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	const rows = 900
	o := source.Options{Networks: []string{write(t, in("a.npy"), rows, 5, wave), write(t, in("b.npy"), rows, 4, func(i, j int) float64 { return wave(j, i) + wave(i, j+1) })}}
	whole, err := corr.LoadMoments(accumulated(t, o, in("whole.moments")))
	if err != nil {
		t.Fatal(err)
	}
	shardsOf := func(n int) (files []string) {
		for k := range n {
			o.Shard = source.Shard{Number: k + 1, Of: n}
			files = append(files, accumulated(t, o, in(fmt.Sprintf("%d/%d.moments", n, k+1))))
		}
		return files
	}
	for n, cuts := range map[int][][][2]int{
		2:  {{{1, 2}}},
		3:  {{{1, 2}, {3, 3}}},
		7:  {{{1, 4}, {5, 6}, {7, 7}}, {{5, 7}, {1, 2}, {3, 4}}},
		11: {{{9, 11}, {1, 8}}, {{9, 10}, {11, 11}, {1, 4}, {5, 8}}, {{1, 1}, {2, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 11}}},
	} {
		files := shardsOf(n)
		want := mergeAll(t, in("all.moments"), MergeOptions{}, files...)
		if got := mergeAll(t, in("folder.moments"), MergeOptions{}, in(fmt.Sprint(n))); got != want {
			t.Errorf("%d shards of a folder have another sum", n)
		}
		backwards := append(files[n/2:], files[:n/2]...)
		if mergeAll(t, in("order.moments"), MergeOptions{}, backwards...) != want {
			t.Errorf("%d shards in another order have another sum", n)
		}
		for _, cut := range cuts {
			var parts []string
			for _, c := range cut {
				first, last := c[0], c[1]
				part := in(fmt.Sprintf("%d-%d.moments", first, last))
				if first == last {
					part = in(fmt.Sprintf("%d/%d.moments", n, first))
				} else {
					var own []string
					for k := last; k >= first; k-- {
						own = append(own, in(fmt.Sprintf("%d/%d.moments", n, k)))
					}
					mergeAll(t, part, MergeOptions{Partial: true}, own...)
				}
				parts = append(parts, part)
			}
			if len(parts) == 1 {
				continue
			}
			if mergeAll(t, in("tree.moments"), MergeOptions{}, parts...) != want {
				t.Errorf("%d shards cut into %v have another sum", n, cut)
			}
		}
		all, err := corr.LoadMoments(in("all.moments"))
		if err != nil {
			t.Fatal(err)
		}
		x, y := all.Pair(0, 1), whole.Pair(0, 1)
		if all.Count() != rows || x.Count != y.Count {
			t.Errorf("%d shards have %d observations", n, all.Count())
		}
		if !mat.EqualApprox(x.Correlation(), y.Correlation(), 1e-6) {
			t.Errorf("%d shards: correlations %v, and %v of all at once", n, x.Correlation(), y.Correlation())
		}
	}

	few := source.Options{Networks: []string{write(t, in("c.npy"), 5, 3, wave), write(t, in("d.npy"), 5, 2, wave)}}
	var files []string
	for k := range 9 {
		few.Shard = source.Shard{Number: k + 1, Of: 9}
		files = append(files, accumulated(t, few, in(fmt.Sprintf("few/%d.moments", k+1))))
	}
	mergeAll(t, in("few.moments"), MergeOptions{}, files...)
	if m, err := corr.LoadMoments(in("few.moments")); err != nil || m.Count() != 5 {
		t.Errorf("5 samples in 9 shards: %v, %v", m, err)
	}
}

// TestMergeRefuses what would count samples twice, lose some or add up what differs.
func TestMergeRefuses(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	shifted := func(k int) func(i, j int) float64 { return func(i, j int) float64 { return wave(i+k, j) } }
	net := func(name string, k int) string { return write(t, in(name), 60, 4, shifted(k)) }
	a, b, other := net("a.npy", 1), net("b.npy", 2), net("other/a.npy", 3)
	moments := func(name string, change func(o *source.Options)) string {
		o := source.Options{Networks: []string{a, b}}
		change(&o)
		return accumulated(t, o, in(name+momentsSuffix))
	}
	shard := func(number, of int) func(o *source.Options) {
		return func(o *source.Options) { o.Shard = source.Shard{Number: number, Of: of} }
	}
	var shards []string
	for k := range 8 {
		shards = append(shards, moments(fmt.Sprint("shard", k+1), shard(k+1, 8)))
	}
	whole := moments("whole", func(o *source.Options) {})
	foreign := moments("foreign", func(o *source.Options) { o.Networks[0] = other; shard(3, 8)(o) })
	flags := moments("flags", func(o *source.Options) { o.Names = []string{"x", "y"}; shard(3, 8)(o) })
	cut := moments("cut", shard(3, 4))
	third := shards[2]

	// Parts that are no shards: of networks in another order, and with samples in common.
	networks := func(name string, files ...string) string {
		return moments(name, func(o *source.Options) { o.Networks = files })
	}
	one := networks("one", net("net1-1.npy", 11), net("net2-1.npy", 12))
	two := networks("two", net("net2-2.npy", 13), net("net1-2.npy", 14))
	right := networks("right", net("net1-3.npy", 15), net("net2-3.npy", 16))
	ids := func(name string, from int) func(o *source.Options) {
		return func(o *source.Options) {
			file := integers(t, in(name), func(i int) int64 { return int64(i + from) }, 60)
			o.Networks, o.SampleIDs = []string{net(name+"a.npy", from), net(name+"b.npy", from+1)}, []string{file, file}
		}
	}
	first, half, next := moments("first", ids("ids1", 0)), moments("half", ids("ids2", 30)), moments("next", ids("ids3", 60))

	// Files that have changed.
	changed := func(name string, change func(b []byte) []byte) string {
		text, err := os.ReadFile(third)
		if err == nil {
			err = os.WriteFile(in(name), change(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return in(name)
	}
	flipped := changed("flipped", func(b []byte) []byte { b[len(b)-100] ^= 1; return b })
	short := changed("short", func(b []byte) []byte { return b[:len(b)-1] })
	forged := changed("forged", func(b []byte) []byte { return []byte(strings.Replace(string(b), `last\":3`, `last\":2`, 1)) })
	unread := changed("unread", func(b []byte) []byte { return []byte(strings.Replace(string(b), `\"first`, `x"first`, 1)) })
	if err := artifact.WriteFile(in("no/folder"), nil); err != nil {
		t.Fatal(err)
	}

	with := func(k int, file string) []string { // in the place of a shard
		files := append([]string{}, shards...)
		files[k] = file
		return files
	}
	out := in("out")
	for _, c := range []struct {
		files []string
		o     MergeOptions
		want  string
	}{
		{shards[:7], MergeOptions{}, "missing: shard 8 of 8; make them, or merge a part of a tree by -partial"},
		{[]string{shards[1], shards[5]}, MergeOptions{}, "missing: shard 1 of 8, shards 3 to 5 of 8, shards 7 to 8 of 8"},
		{append(shards[:8:8], third), MergeOptions{}, "shard 3 of 8 is in both " + third + " and " + third},
		{with(2, foreign), MergeOptions{}, foreign + " is a shard of other inputs than " + shards[0]},
		{with(2, flags), MergeOptions{}, flags + " is a shard of other inputs"},
		{with(2, cut), MergeOptions{}, cut + " is shard 3 of 4, and " + shards[0] + " is shard 1 of 8"},
		{with(2, flipped), MergeOptions{}, flipped + ": damaged"},
		{with(2, short), MergeOptions{}, short + ": cut short"},
		{with(2, forged), MergeOptions{}, forged + ": damaged: its manifest says shards 3 to 2 of 8"},
		{with(2, unread), MergeOptions{}, unread},
		{append(shards[:8:8], whole), MergeOptions{}, whole + " has all samples, and " + shards[0] + " those of shard 1 of 8"},
		{append(shards[:8:8], first), MergeOptions{}, first + " is no shard, and " + shards[0] + " is shard 1 of 8"},
		{shards[1:3], MergeOptions{Partial: true}, "these are 2 branches of the tree of shards, which are merged each by itself: shard 2 of 8, shard 3 of 8"},
		{[]string{in("no")}, MergeOptions{}, "no files of moments"},
		{[]string{one, two}, MergeOptions{}, "network 1 is of net2-2.npy in " + two + ", and network 2 of net2-1.npy in " + one + "; give networks in the same order"},
		{[]string{first, half}, MergeOptions{}, half + ": corr: moments cannot be merged: 30 samples of 60 are in both"},
		{[]string{whole, first, whole}, MergeOptions{}, whole + " and " + whole + " hold the same samples"},
	} {
		if _, err := Merge(context.Background(), c.files, out, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%q: something was written", c.want)
		}
	}
	mergeAll(t, out, MergeOptions{}, one, right)
	mergeAll(t, out, MergeOptions{}, first, next)
	if _, err := Merge(context.Background(), []string{out, half}, in("twice"), MergeOptions{}); err == nil || !strings.Contains(err.Error(), "60 samples of 60 are in both") {
		t.Errorf("samples of a sum: %v", err)
	}
	mergeAll(t, in("one"+momentsSuffix), MergeOptions{}, shards...)
	if _, err := Merge(context.Background(), []string{in("one" + momentsSuffix), whole}, out, MergeOptions{Overwrite: true}); err == nil || !strings.Contains(err.Error(), "hold the same samples") {
		t.Errorf("the sum of all shards, and all samples: %v", err)
	}
}

// TestShardAgain: a shard that is there is not made again, unless it is damaged; what is
// something else is not replaced unasked.
func TestShardAgain(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	o := source.Options{Networks: []string{write(t, in("a.npy"), 60, 4, wave), write(t, in("b.npy"), 60, 4, wave)}, Shard: source.Shard{Number: 2, Of: 3}}
	path := accumulated(t, o, in("2.moments"))
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	accumulated(t, o, path)
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("a shard that is there was made again: %v", err)
	}
	damaged := append([]byte{}, text...)
	damaged[len(damaged)-9] ^= 8
	if err := os.WriteFile(path, damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	accumulated(t, o, path)
	if again, err := os.ReadFile(path); err != nil || string(again) != string(text) {
		t.Errorf("a damaged shard was not made again: %v", err)
	}
	o.Shard.Number = 1
	if _, err := Accumulate(context.Background(), o, Options{}, path); err == nil || !strings.Contains(err.Error(), path+" is there already") {
		t.Errorf("another shard in its place: %v", err)
	}
}

// TestMergeLayers: folders have files of several layers, each of which has a sum; layers whose
// names differ in what paths do not tell apart have files of their own.
func TestMergeLayers(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	network := func(name string) string {
		f := new(safetensors.File)
		for k, layer := range []string{"a", "./a", "A"} {
			x := make([]float32, 40*3)
			for i := range x {
				x[i] = float32(wave(i, k+len(name)))
			}
			f.Tensors = append(f.Tensors, safetensors.Tensor{Name: layer, Shape: []int{40, 3}, F32: x})
		}
		if err := safetensors.Save(in(name), f); err != nil {
			t.Fatal(err)
		}
		return in(name)
	}
	o := source.Options{Networks: []string{network("x.safetensors"), network("yy.safetensors")}}
	for k := range 4 {
		o.Shard = source.Shard{Number: k + 1, Of: 4}
		accumulated(t, o, in(fmt.Sprint("shards/", k+1)))
	}
	merged, err := Merge(context.Background(), []string{in("shards")}, in("all"), MergeOptions{})
	if err != nil || len(merged) != 3 {
		t.Fatal(merged, err)
	}
	means := make(map[float64]bool)
	for i, layer := range []string{"a", "./a", "A"} {
		m, err := corr.LoadMoments(filepath.Join(in("all"), artifact.FileName(layer)+momentsSuffix))
		if err != nil {
			t.Fatal(err)
		}
		if means[m.Mean(0)[0]] = true; m.Count() != 40 || m.Network(1).Layer != layer || merged[i].Count != 40 || len(means) != i+1 {
			t.Errorf("layer %s: %v, %+v", layer, m.Network(1), merged[i])
		}
	}
	dot, plain := filepath.Join(in("shards/1"), artifact.FileName("./a")+momentsSuffix), in("shards/2/a"+momentsSuffix)
	if _, err := Merge(context.Background(), []string{plain, dot}, in("out"), MergeOptions{Partial: true}); err == nil || !strings.Contains(err.Error(), `layer "./a" is not "a"`) && !strings.Contains(err.Error(), `layer "a" is not "./a"`) {
		t.Errorf("two layers were added up: %v", err)
	}
	if err := os.Remove(plain); err != nil {
		t.Fatal(err)
	}
	if _, err := Merge(context.Background(), []string{in("shards")}, in("again"), MergeOptions{}); err == nil || !strings.Contains(err.Error(), "layer a: missing: shard 2 of 4") {
		t.Errorf("a layer of a shard is missing: %v", err)
	}
}

// TestTree: shards of any number end in one branch, and few wait for their siblings.
func TestTree(t *testing.T) {
	for n := 1; n <= 1025; n++ {
		var branches []*branch
		deepest := 0
		for k := range n {
			branches = append(branches, &branch{manifest: manifest{First: k + 1, Last: k + 1, Of: n}})
			deepest = max(deepest, len(branches))
			for len(branches) > 1 && branches[len(branches)-2].sibling(branches[len(branches)-1]) {
				branches[len(branches)-2].Last = branches[len(branches)-1].Last
				branches = branches[:len(branches)-1]
			}
		}
		if len(branches) != 1 || !branches[0].whole() || deepest > bits.Len(uint(n))+1 {
			t.Fatalf("of %d shards %d branches are left, and %d were there at once", n, len(branches), deepest)
		}
	}
}
