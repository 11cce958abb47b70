package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// python is the command of a Python that has torch and torchvision: CONVERGENT_PYTHON, else
// python3. Without one the test is skipped.
func python(t *testing.T) []string {
	t.Helper()
	words := []string{"python3"}
	asked := os.Getenv("CONVERGENT_PYTHON")
	if asked != "" {
		words = strings.Fields(asked)
	}
	if out, err := exec.Command(words[0], append(words[1:], "-c", "import torch, torchvision")...).CombinedOutput(); err != nil {
		if asked != "" {
			t.Fatalf("%s: %v\n%s", asked, err, out)
		}
		t.Skip("python3 has no torch and torchvision; CONVERGENT_PYTHON names the command of one that has")
	}
	return words
}

// snippets returns the blocks of Python in the section of the README about streams.
func snippets(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n### Activations that never become files\n")
	section, _, _ = strings.Cut(section, "\n### ")
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```python\n(.*?)```").FindAllStringSubmatch(section, -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of Python, where there are what writes and how it is used", len(blocks))
	}
	return blocks
}

// networks are those of the README's example: of each kind two, and batches of images. They
// check that what was kept is what layers returned, whatever was done to it in place.
var networks = map[string]struct{ define, check string }{
	"convnets": {`
import torchvision
torch.manual_seed(0)
a, b = torchvision.models.resnet18().eval(), torchvision.models.resnet18().eval().bfloat16()
layers = ["bn1", "layer1", "layer2.0.relu", "avgpool"]
loader = [(torch.arange(8 * i, 8 * i + 8), torch.rand(8, 3, 32, 32)) for i in range(3)]
b.register_forward_pre_hook(lambda module, inputs: inputs[0].bfloat16())
`, `
with torch.no_grad():
    a(loader[0][1])
    assert torch.equal(seen["A/bn1"], a.bn1(a.conv1(loader[0][1]))) and seen["A/bn1"].min() < 0
`},
	"transformers": {`
import torchvision
torch.manual_seed(0)
small = dict(image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=32, mlp_dim=64)
a, b = (torchvision.models.VisionTransformer(**small).eval() for _ in range(2))
layers = ["encoder.layers.encoder_layer_0.self_attention", "encoder.layers.encoder_layer_1.mlp", "encoder"]
loader = [(torch.arange(8 * i, 8 * i + 8), torch.rand(8, 3, 32, 32)) for i in range(3)]
`, `
with torch.no_grad():
    y = a(loader[0][1])
    assert torch.equal(a.heads(seen["A/encoder"][:, 0]), y) and seen["A/encoder.layers.encoder_layer_0.self_attention"].shape == (8, 17, 32)
`},
}

// TestREADMEWritesStreams runs the README's Python as it stands: what it writes is read, and
// compared.
func TestREADMEWritesStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("torch takes seconds to be loaded")
	}
	words, blocks := python(t), snippets(t)
	for name, n := range networks {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "moments")
			writer, reader := exec.Command(words[0], append(words[1:], "-")...), command("moments", "-", "-layout", "ntd,nchw", "-o", out)
			writer.Stdin = strings.NewReader(blocks[0] + n.define + blocks[1] + n.check)
			var errs [2]bytes.Buffer
			writer.Stderr, reader.Stderr = &errs[0], &errs[1]
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			writer.Stdout, reader.Stdin = w, r
			var stdout bytes.Buffer
			reader.Stdout = &stdout
			if err := reader.Start(); err != nil {
				t.Fatal(err)
			}
			r.Close()
			err = writer.Run()
			w.Close()
			if err != nil {
				t.Errorf("%v\n%s", err, &errs[0])
			}
			if err := reader.Wait(); err != nil {
				t.Fatalf("%v\n%s", err, &errs[1])
			}
			files := strings.Fields(stdout.String())
			if len(files) < 3 {
				t.Fatalf("moments of %q", files)
			}
			if stdout, stderr, code := run(t, "compare", files[0], "-o", filepath.Join(t.TempDir(), "out"), "-draws", "2"); code != 0 || !strings.Contains(stdout, "network 2  B") {
				t.Errorf("exit code %d: %s%s", code, stdout, stderr)
			}
		})
	}
}
