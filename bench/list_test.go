package bench

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestStandard(t *testing.T) {
	list := Standard()
	works, err := list.Works()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"conv/caffenet.conv3/forward", "conv/1x1/backward", "gemm/1024x1024x1024", "moments/N=100000,p=192", "assignment/uniform/n=4000", "assignment/noisy/n=384", "train/quick", "onnx/resnet18/n=8"} {
		if !slices.ContainsFunc(works, func(w Work) bool { return w.Name == name }) {
			t.Errorf("%s is not on the list", name)
		}
	}
	if !slices.Equal(list.Threads, []int{1, 2}) {
		t.Errorf("threads %v", list.Threads)
	}
}

func TestOperations(t *testing.T) {
	works, err := Standard().Works()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"conv/caffenet.conv2/forward":  2 * 16 * 27 * 27 * 256 * 5 * 5 * 48, // two groups
		"conv/caffenet.conv2/backward": 4 * 16 * 27 * 27 * 256 * 5 * 5 * 48,
		"gemm/384x1352x3456":           2 * 384 * 1352 * 3456,
		"moments/N=100000,p=192":       100000 * 192 * 193,
		"train/quick": 2 * 128 * (2*32*32*32*75 + // the first layer has one gradient
			3*(16*16*32*800+8*8*64*800+1024*64+64*10)),
	}
	for _, w := range works {
		if n, ok := want[w.Name]; ok && w.Operations != n {
			t.Errorf("%s: %.0f operations, want %.0f", w.Name, w.Operations, n)
		}
	}
}

// TestNetworks: the multiply-adds of all layers are those that the papers and torchvision
// say, but for the dense layers at the end, and works are of the distinct layers.
func TestNetworks(t *testing.T) {
	for _, want := range []struct {
		name     string
		billions float64
		distinct int
	}{{"resnet50", 4.087, 23}, {"mobilenetv2", 0.2995, 30}, {"convnext-t", 4.454, 16}, {"vgg16", 15.347, 9}} {
		var operations float64
		for _, l := range networks[want.name] {
			works, err := l.conv(want.name, 1).works()
			if err != nil {
				t.Fatal(err)
			}
			operations += works[0].Operations
		}
		if billions := operations / 2e9; math.Abs(billions-want.billions) > 0.005*want.billions {
			t.Errorf("%s: %.4f billion multiply-adds, want %.4f", want.name, billions, want.billions)
		}
		works, err := Network{want.name, []int{1, 8}}.works()
		if err != nil || len(works) != want.distinct*2*2 {
			t.Errorf("%s: %d works of %d layers, %v", want.name, len(works), want.distinct, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const layer = `{"name": "a", "n": 1, "size": 4, "in": 2, "out": 2, "kernel": 3, "stride": 1, "pad": 1, "groups": 1}`
	for _, c := range []struct{ list, want string }{
		{`{"convolutions": []}`, "convolutions"},
		{`{"threads": [0]}`, "0 threads"},
		{`{"conv": [{}]}`, "no name"},
		{`{"conv": [` + layer + `, ` + layer + `]}`, "conv/a/forward is listed twice"},
		{`{"conv": [` + strings.Replace(layer, `"stride": 1`, `"stride": 0`, 1) + `]}`, "a: size"},
		{`{"conv": [` + strings.Replace(layer, `"groups": 1`, `"groups": 3`, 1) + `]}`, "a: channels"},
		{`{"conv": [` + strings.Replace(layer, `"kernel": 3`, `"kernel": 7`, 1) + `]}`, "a: filter"},
		{`{"networks": [{"name": "alexnet"}]}`, `no network "alexnet"`},
		{`{"gemm": [{"m": 2, "n": 3}]}`, "gemm/2x3x0"},
		{`{"moments": [{"n": 1, "p": 3}]}`, "moments/N=1,p=3"},
		{`{"assignment": [{"n": 0, "values": "uniform"}]}`, "assignment/uniform/n=0"},
		{`{"assignment": [{"n": 9, "values": "noisy", "samples": 1}]}`, "assignment/noisy/n=9"},
		{`{"assignment": [{"n": 9, "values": "gamma"}]}`, `values "gamma"`},
		{`{"onnx": [{"name": "resnet18", "billions": 1, "batches": [0]}]}`, "onnx/resnet18/n=0"},
		{`{"train": [{"name": "b", "batch": 1, "layers": [{"layer": "lstm"}]}]}`, "lstm"},
		{`{"train": [{"name": "b", "batch": 1, "layers": []}]}`, "input"},
		{`{"train": [{"name": "b", "size": 4, "in": 1, "classes": 3, "layers": [{"layer": "dense", "out": 3}]}]}`, "batch of 0"},
	} {
		if _, err := Parse([]byte(c.list)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error about %q", c.list, err, c.want)
		}
	}
}
