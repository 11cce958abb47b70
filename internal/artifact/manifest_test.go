package artifact

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestManifest: what a process wrote into its folder is its own, and nothing else is
// replaced or removed.
func TestManifest(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	put := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(in(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(in(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fails := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	own := func() *Manifest {
		t.Helper()
		m, err := Own(dir)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	put("mine.csv", "mine")
	put("layers/mine.txt", "mine")
	m := own()
	fails(WriteFile(in("mine.csv"), nil), "mine.csv is in the way")
	for _, text := range []string{"first", "second"} {
		if err := WriteFile(in("layers/a/b.txt"), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteFile(in("c.txt"), nil); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(in(ManifestFile))
	if want := sum(nil) + "  c.txt\n" + sum([]byte("second")) + "  layers/a/b.txt\n"; err != nil || string(text) != want {
		t.Errorf("%v, %q, want %q", err, text, want)
	}
	// A line that is cut short, one that leads out, and one of a file that was not put in its place.
	put(ManifestFile, string(text)+sum([]byte("x"))+"  ../victim\n"+sum([]byte("third"))+"  c.txt\n"+"0123")
	m = own()
	put("layers/a/b.txt", "changed")
	fails(m.Remove(), "b.txt has changed")
	if _, err := os.Stat(in("c.txt")); err != nil {
		t.Errorf("removed before the error: %v", err)
	}
	put("layers/a/b.txt", "second") // as it was
	if err := m.Remove(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"c.txt", "layers/a", ManifestFile} {
		if _, err := os.Lstat(in(name)); !os.IsNotExist(err) {
			t.Errorf("%s is left", name)
		}
	}
	for _, name := range []string{"mine.csv", "layers/mine.txt"} {
		if b, err := os.ReadFile(in(name)); err != nil || string(b) != "mine" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	m.Close()
	// A folder that is a link now.
	outside := t.TempDir()
	m = own()
	if err := WriteFile(in("sub/x"), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(in("sub"), filepath.Join(outside, "sub")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "sub"), in("sub")); err != nil {
		t.Skip(err)
	}
	fails(m.Remove(), "leads out")
	if _, err := os.Stat(filepath.Join(outside, "sub", "x")); err != nil {
		t.Error(err)
	}
}

// TestConfined: neither a link that was there nor one that is put there while a file is written
// leads out of a folder of results.
func TestConfined(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	victim := filepath.Join(outside, "x")
	if err := os.WriteFile(victim, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	sub := filepath.Join(dir, "sub")
	if err := os.Symlink(outside, sub); err != nil {
		t.Skip(err)
	}
	m, err := Own(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, name := range []string{"x", "y", "z/y"} {
		if err := WriteFile(filepath.Join(sub, name), []byte("out")); err == nil {
			t.Errorf("%s is written through a link", name)
		}
	}
	if err := os.Remove(sub); err != nil {
		t.Fatal(err)
	}
	err = Write(filepath.Join(sub, "x"), func(w io.Writer) error {
		return errors.Join(os.Rename(sub, sub+"-moved"), os.Symlink(outside, sub))
	})
	if err != nil {
		t.Error(err) // it is in the folder, wherever that is now
	}
	if err := os.Remove(sub); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..", sub); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(sub, "y"), nil); err == nil {
		t.Error("written into the folder above")
	}
	entries, err := os.ReadDir(outside)
	if b, _ := os.ReadFile(victim); err != nil || len(entries) != 1 || string(b) != "mine" {
		t.Errorf("outside are %v, %v, with %q", entries, err, b)
	}
}

// TestWriteOverOthers: links, devices and pipes are not replaced.
func TestWriteOverOthers(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{link, os.DevNull, dir} {
		before, _ := os.Lstat(path)
		if err := WriteFile(path, []byte("x")); err == nil {
			t.Errorf("%s is replaced", path)
		}
		if after, err := os.Lstat(path); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s was %v and is %v, %v", path, before.Mode(), after.Mode(), err)
		}
	}
	if b, _ := os.ReadFile(target); string(b) != "mine" {
		t.Errorf("the target holds %q", b)
	}
}

// FuzzManifest reads any bytes as a manifest: what it makes a process remove lies in the folder,
// and is as the manifest says.
func FuzzManifest(f *testing.F) {
	const own, mine = "own", "mine"
	f.Add([]byte(sum([]byte(own)) + "  own\n" + sum([]byte(own)) + "  sub/own\n" + sum([]byte(mine)) + "  ../mine\n"))
	f.Add([]byte(sum([]byte(own)) + "  link/mine\n" + sum([]byte(mine)) + "  link/mine\n"))
	f.Add([]byte(sum([]byte(mine)) + "  sub/../../mine\n" + sum(nil) + "  .\n" + sum(nil) + "  " + ManifestFile))
	f.Fuzz(func(t *testing.T, text []byte) {
		outside := t.TempDir()
		dir := filepath.Join(outside, "dir")
		in := func(name string) string { return filepath.Join(dir, name) }
		if err := errors.Join(os.MkdirAll(in("sub"), 0o777), os.WriteFile(filepath.Join(outside, mine), []byte(mine), 0o644), os.WriteFile(in(mine), []byte(mine), 0o644),
			os.WriteFile(in(own), []byte(own), 0o644), os.WriteFile(in("sub/own"), []byte(own), 0o644), os.Symlink(outside, in("link")), os.WriteFile(in(ManifestFile), text, 0o644)); err != nil {
			t.Skip(err)
		}
		m, err := Own(dir)
		if err != nil {
			t.Fatal(err)
		}
		listed := make(map[string]bool)
		for _, name := range m.Names() {
			listed[name] = true
		}
		m.Remove()
		m.Disown()
		if b, err := os.ReadFile(filepath.Join(outside, mine)); err != nil || string(b) != mine {
			t.Errorf("outside: %q, %v", b, err)
		}
		if _, err := os.Lstat(in("link")); err != nil {
			t.Error("a link is removed")
		}
		for _, name := range []string{own, "sub/own", mine} {
			if _, err := os.Lstat(in(name)); err != nil && !listed[name] {
				t.Errorf("%s is removed, which is not listed", name)
			}
		}
	})
}
