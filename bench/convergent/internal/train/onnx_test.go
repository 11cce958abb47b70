package train

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/nn"
	"github.com/convergent-go/convergent/nn/onnx"
)

// exports is what PyTorch exported; see make.py there.
const exports = "../../testdata/onnx/"

// TestONNX: networks that PyTorch exported are those of package nn, whether a normalisation
// became part of the convolution before it or not.
func TestONNX(t *testing.T) {
	for file, arch := range map[string]nn.Arch{
		"caffenet32_a": nn.CaffeNet32(10, 0.1), "caffenet32_b": nn.CaffeNet32(10, 0.1),
		"resnet20": nn.ResNet20(10, 0.125), "resnet20_bn": nn.ResNet20(10, 0.125),
	} {
		n, err := open(exports+file+".onnx", arch)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		// A ramp, which is not among the images that open looks at.
		x, planes := nn.NewTensor(2, 32, 32, 3), make([]float32, 2*3*32*32)
		for i := range x.Data {
			v := float32(i%97)/48 - 1
			x.Data[i] = v
			planes[i/(32*32*3)*32*32*3+i%3*32*32+i/3%(32*32)] = v
		}
		m, err := onnx.Load(exports + file + ".onnx")
		if err != nil {
			t.Fatal(err)
		}
		out, err := m.Run(map[string]*onnx.Tensor{"input": onnx.NewTensor(planes, 2, 3, 32, 32)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, want := n.Forward(x, nil).Data, out[m.Outputs()[0].Name].Data.([]float32)
		largest := float32(0)
		for _, v := range want {
			largest = max(largest, v, -v)
		}
		for i, v := range want {
			if d := (v - got[i]) / largest; d > 1e-5 || d < -1e-5 {
				t.Errorf("%s: logit %d is %v, want %v", file, i, got[i], v)
			}
		}
	}
}

// TestONNXOfOthers: the error says what does not fit.
func TestONNXOfOthers(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.onnx")
	if err := os.WriteFile(text, []byte("no network"), 0o666); err != nil {
		t.Fatal(err)
	}
	deeper := nn.CaffeNet32(10, 0.1)
	deeper.Layers = append(slices.Clone(deeper.Layers[:14]), nn.Conv2D{Name: "conv6", Out: 6, Kernel: 3, Pad: 1})
	for _, c := range []struct {
		file string
		arch nn.Arch
		want string
	}{
		{exports + "resnet20.onnx", nn.CaffeNet32(10, 0.1), `taken for conv1: weights of shape [2 3 3 3], where there are 3 filters of 5 x 5`},
		{exports + "caffenet32_a.onnx", nn.CaffeNet32(10, 0.2), `taken for conv1: weights of shape [3 3 5 5], where there are 6 filters`},
		{exports + "caffenet32_a.onnx", nn.CaffeNet32(9, 0.1), `taken for fc7: 10 outputs, where there are 9`},
		{exports + "caffenet32_a.onnx", deeper, "it has 5 convolutions, and none for conv6"},
		{exports + "caffenet32_lrn.onnx", nn.CaffeNet32(10, 0.1), "its weights fit, but it computes something else of the same images"},
		{text, nn.Tiny10(10, 1), "not an ONNX model"},
	} {
		if _, err := open(c.file, c.arch); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), filepath.Base(c.file)) {
			t.Errorf("%s as %s: %v, want %q", c.file, c.arch.Name, err, c.want)
		}
	}
}
