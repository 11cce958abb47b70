//go:build unix

package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// kills is how many instants are tried: CONVERGENT_KILLS of each command, or a few.
func kills(t *testing.T) int {
	t.Helper()
	if s := os.Getenv("CONVERGENT_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 4
}

// tree is what a folder holds, by name.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func sameTree(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, b := range want {
		if got[name] != b {
			t.Errorf("%s is missing or differs", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is left over", name)
		}
	}
}

// victims are what is killed: each has the inputs it needs in the folder in, and writes
// to out alone.
func victims(t *testing.T, in string) map[string]func(out string) []string {
	t.Helper()
	for name, n := range map[string]numbers{"a": {20000, 40, 1}, "b": {20000, 40, 2}} {
		if err := arrays.WriteNPY(filepath.Join(in, name+".npy"), n); err != nil {
			t.Fatal(err)
		}
	}
	a, b := filepath.Join(in, "a.npy"), filepath.Join(in, "b.npy")
	parts := []string{filepath.Join(in, "1.moments"), filepath.Join(in, "2.moments")}
	return map[string]func(out string) []string{
		"reproduce": func(out string) []string {
			return []string{"reproduce", "-out", out, "-nets", "2", "-epochs", "2", "-train", "96", "-test", "40", "-images", "16", "-batch", "32",
				"-width", "0.25", "-layers", "conv1,conv3", "-lambdas", "0.1,0", "-draws", "5", "-shuffles", "3", "-widths", "0.5"}
		},
		"compare": func(out string) []string {
			return []string{"compare", a, b, "-out", out, "-shuffles", "3", "-gram", "64"}
		},
		"between": func(out string) []string {
			return []string{"compare", a, b, "-out", out, "-between", "-shuffles", "3", "-draws", "3"}
		},
		"moments": func(out string) []string {
			return []string{"moments", a, b, "-o", filepath.Join(out, "all.moments")}
		},
		"shard": func(out string) []string { // which goes on without -overwrite
			return []string{"moments", a, b, "-shard", "2/3", "-o", filepath.Join(out, "2.moments")}
		},
		"merge": func(out string) []string {
			return append([]string{"merge", "-o", filepath.Join(out, "all.moments")}, parts...)
		},
	}
}

// prepare makes the moments that merge reads.
func prepare(t *testing.T, in string) {
	t.Helper()
	for i, name := range []string{"1", "2"} {
		var files []string
		for net := range 2 {
			files = append(files, filepath.Join(in, name+strconv.Itoa(net)+".npy"))
			if err := arrays.WriteNPY(files[net], numbers{3000, 60, 10*i + net}); err != nil {
				t.Fatal(err)
			}
		}
		out, err := command(append([]string{"moments", "-o", filepath.Join(in, name+".moments")}, files...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

// TestKilled kills each command at random instants, with a signal that nothing can handle;
// run again, it ends with the bytes of one that was left in peace, and no other file.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("many runs")
	}
	in := t.TempDir()
	prepare(t, in)
	for name, args := range victims(t, in) {
		t.Run(name, func(t *testing.T) {
			peace := t.TempDir()
			start := time.Now()
			if out, err := command(args(peace)...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			whole, want := time.Since(start), tree(t, peace)
			rnd := rand.New(rand.NewPCG(1, 1))
			killed := 0
			for range kills(t) {
				out := t.TempDir()
				victim := command(args(out)...)
				if err := victim.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(rnd.Float64() * float64(whole)))
				victim.Process.Kill()
				if victim.Wait() != nil {
					killed++
				}
				again := args(out)
				if written := len(tree(t, out)) > 0; written && (name == "moments" || name == "merge") {
					again = append(again, "-overwrite")
				}
				if text, err := command(again...).CombinedOutput(); err != nil {
					t.Fatalf("run again: %v\n%s", err, text)
				}
				sameTree(t, tree(t, out), want)
				os.RemoveAll(out)
			}
			t.Logf("killed %d times within %v", killed, whole.Round(time.Millisecond))
		})
	}
}

// TestFullDisk gives each command a disk that is too small: it says so, and with more room
// it ends with the bytes of one that had it.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("several runs")
	}
	disk := t.TempDir()
	mount := func(size string, more string) error {
		return exec.Command("mount", "-t", "tmpfs", "-o", more+"size="+size, "tmpfs", disk).Run()
	}
	if err := mount("64k", ""); err != nil {
		t.Skip("no small disk can be mounted here: ", err)
	}
	defer syscall.Unmount(disk, 0)
	in := t.TempDir()
	prepare(t, in)
	for name, args := range victims(t, in) {
		t.Run(name, func(t *testing.T) {
			if err := mount("64k", "remount,"); err != nil {
				t.Fatal(err)
			}
			peace, out := t.TempDir(), filepath.Join(disk, name)
			if err := os.Mkdir(out, 0o777); err != nil {
				t.Fatal(err)
			}
			// Of 64 kB nothing is left but some.
			ballast := filepath.Join(disk, "ballast")
			if err := os.WriteFile(ballast, make([]byte, 40<<10), 0o644); err != nil {
				t.Fatal(err)
			}
			text, err := command(args(out)...).CombinedOutput()
			if err == nil || !bytes.Contains(text, []byte("no space left on device")) || !strings.Contains(string(text), out) {
				t.Errorf("on a full disk: %v\n%s", err, text)
			}
			for file := range tree(t, out) {
				if strings.HasSuffix(file, ".tmp") {
					t.Errorf("%s is left", file)
				}
			}
			if err := mount("100m", "remount,"); err != nil {
				t.Fatal(err)
			}
			for _, to := range []string{peace, out} {
				if text, err := command(args(to)...).CombinedOutput(); err != nil {
					t.Fatalf("with room: %v\n%s", err, text)
				}
			}
			sameTree(t, tree(t, out), tree(t, peace))
			os.RemoveAll(out)
			os.Remove(ballast)
		})
	}
}

// TestTerminated: a scheduler's SIGTERM finds a shard that is written whole, or leaves nothing.
// Two tasks of one number at once write the same bytes, and neither fails.
func TestTerminated(t *testing.T) {
	if testing.Short() {
		t.Skip("many runs")
	}
	args := victims(t, t.TempDir())["shard"]
	peace := t.TempDir()
	start := time.Now()
	if out, err := command(args(peace)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	elapsed, want := time.Since(start), tree(t, peace)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range kills(t) {
		out := t.TempDir()
		c := command(args(out)...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rnd.Float64() * float64(elapsed)))
		c.Process.Signal(syscall.SIGTERM)
		c.Wait()
		if got := tree(t, out); len(got) > 0 || c.ProcessState.Success() {
			sameTree(t, got, want)
		}
	}
	out := t.TempDir()
	var twins []*exec.Cmd
	for range 4 {
		c := command(args(out)...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		twins = append(twins, c)
	}
	for _, c := range twins {
		if err := c.Wait(); err != nil {
			t.Errorf("a task with the number of another: %v", err)
		}
	}
	sameTree(t, tree(t, out), want)
}
