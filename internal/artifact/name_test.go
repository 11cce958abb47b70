package artifact

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestFileNames: files of names are plain, tell all names apart on disks that do not
// tell cases apart, and say the name.
func TestFileNames(t *testing.T) {
	names := []string{"", "conv1", "layer1.0.conv", "Conv1", "CONV1", "a/b", "a:b", `a\b`, "a_b", "a=2fb", "+a", "A", "=", "==", "日本", "中国", "вход", "слой",
		".", "..", "../../victim", "./a", "a", "a.", ".a", "con", "CON", "Con.x", "con=", "nul.moments", "lpt1", "a b", "a\x00b", "a\nb", "\xff", "é", "e\u0301",
		strings.Repeat("x", 120), strings.Repeat("x", 121), strings.Repeat("x", 300), strings.Repeat("x", 299) + "y", strings.Repeat("日", 50), strings.Repeat("X", 61)}
	seen := make(map[string]string)
	for _, name := range names {
		file := FileName(name)
		if other, ok := seen[strings.ToLower(file)]; ok {
			t.Errorf("%q and %q are both called %q", name, other, file)
		}
		seen[strings.ToLower(file)] = name
		if filepath.Base(file) != file || file == "." || file == ".." || len(file) > maxName || file[0] == '.' {
			t.Errorf("%q is called %q", name, file)
		}
		if got, ok := NameOf(file); ok != !strings.Contains(file, "=-") || ok && got != name {
			t.Errorf("%q is the file of %q, and not of %q", file, got, name)
		}
	}
	for name, want := range map[string]string{"conv1": "conv1", "layer1.0.conv-2_x": "layer1.0.conv-2_x", "Mixed_5b": "+mixed_5b", "a/b": "a=2fb"} {
		if got := FileName(name); got != want {
			t.Errorf("%q is called %q, want %q", name, got, want)
		}
	}
	for _, file := range []string{"A", "=zz", "=4", "a/b", ".a", "con", "=61"} {
		if name, ok := NameOf(file); ok {
			t.Errorf("%q passes for the file of %q", file, name)
		}
	}
}

func FuzzFileName(f *testing.F) {
	f.Add("A", "a")
	f.Add("../x", "con")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := FileName(a), FileName(b)
		if (a == b) != strings.EqualFold(x, y) || filepath.Base(x) != x || len(x) > maxName {
			t.Fatalf("%q and %q are called %q and %q", a, b, x, y)
		}
		if name, ok := NameOf(x); ok && name != a || !ok && !strings.Contains(x, "=-") {
			t.Fatalf("%q is called %q, which is the file of %q, %v", a, x, name, ok)
		}
	})
}
