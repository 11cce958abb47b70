package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestMain lets the test's program be the command itself.
func TestMain(m *testing.M) {
	if os.Getenv("CONVERGENT_TEST_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "CONVERGENT_TEST_MAIN=1")
	return c
}

// run returns what the command wrote and its exit code.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	c := command(args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// tiny is a run of a second or so.
func tiny(out string, more ...string) []string {
	return append([]string{"reproduce", "-out", out, "-nets", "2", "-epochs=1", "--train", "64", "--test=30", "-batch", "32",
		"-images", "8", "-width", "0.1", "-draws", "3", "-layers", "conv1,conv2", "-lambdas", "0,0.1"}, more...)
}

func TestReproduce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	stdout, stderr, code := run(t, tiny(dir)...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"train network 2", "test network 1", "conv2", "rotated r", filepath.Join(dir, "report.html")} {
		if !strings.Contains(stdout, want) {
			t.Errorf("nothing about %q in:\n%s", want, stdout)
		}
	}
	for _, name := range []string{"results.json", "report.html", "layers.csv", "nets/net2.safetensors"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: missing or empty: %v", name, err)
		}
	}
}

// TestInterrupt stops a run while it trains; the same command goes on.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupts between processes")
	}
	args := tiny(filepath.Join(t.TempDir(), "out"), "-epochs", "5000")
	c := command(args...)
	var errs bytes.Buffer
	c.Stderr = &errs
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if lines := bufio.NewScanner(stdout); !lines.Scan() || !strings.Contains(lines.Text(), "train network") {
		t.Errorf("the first line is %q", lines.Text())
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("got %v", err)
	}
	if got := errs.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "same command goes on") {
		t.Errorf("stderr: %q", got)
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
		code int
	}{
		{tiny("", "-out", file), file, 1},
		{tiny(dir, "-data", file), "neither a folder nor a whole zip", 1},
		{tiny(dir, "-layers", "conv9"), "conv1, conv2, conv3", 1},
		{tiny(dir, "-lambdas", "-1"), "lambda -1", 1},
		{tiny(dir, "-epochs", "-1"), "epochs", 1},
		{tiny(dir, "-nets", "1"), "at least two", 1},
		{tiny(dir, "-nets", "0"), "above 0", 1},
		{tiny(dir, "-seed", "0"), "above 0", 1},
		{tiny(dir, "-rate", "1e9"), "diverged", 1},
		{tiny(dir, "-nets", "many"), "--nets", 2},
		{tiny(dir, "-bogus"), "--bogus", 2},
		{[]string{"dance"}, "dance", 2},
	} {
		_, stderr, code := run(t, c.args...)
		if code != c.code || !strings.HasPrefix(stderr, "convergent: ") || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit code %d, want %d: %s", strings.Join(c.args, " "), code, c.code, stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{}, {"-h"}, {"reproduce", "-h"}} {
		if stdout, stderr, code := run(t, args...); code != 0 || !strings.Contains(stdout, "Usage: convergent") {
			t.Errorf("%v: exit code %d: %s%s", args, code, stdout, stderr)
		}
	}
}

// TestCompare goes the whole way with activations: compared at once, and as moments
// of shards that are merged.
func TestCompare(t *testing.T) {
	const testdata = "internal/compare/testdata/"
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	stdout, stderr, code := run(t, "compare", testdata+"a.npz", testdata+"b.npz", "-layout", "nchw", "-out", in("out"), "-resamples", "20", "-shuffles", "3", "-draws", "5")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"conv1", "6, 7", "conv2", "matched r", in("out/report.html")} {
		if !strings.Contains(stdout, want) {
			t.Errorf("nothing about %q in:\n%s", want, stdout)
		}
	}
	for _, name := range []string{"results.json", "report.html", "figures/layers_1_2.svg", "conv2/measures.json"} {
		if info, err := os.Stat(in("out/" + name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: missing or empty: %v", name, err)
		}
	}
	if stdout, stderr, code = run(t, "moments", testdata+"a.npz", testdata+"b.npz", "-layout=nchw", "-layers", "conv1", "-names", "a,b", "-o", in("1.moments")); code != 0 {
		t.Fatalf("%s\n%s", stdout, stderr)
	}
	if stdout, stderr, code = run(t, "merge", in("1.moments"), "-o", in("all.moments")); code != 0 || !strings.Contains(stdout, "2 networks, 720 observations") {
		t.Fatalf("%s\n%s", stdout, stderr)
	}
	if stdout, stderr, code = run(t, "compare", in("all.moments"), "-out", in("out2"), "-draws", "5"); code != 0 || !strings.Contains(stdout, "conv1") {
		t.Fatalf("%s\n%s", stdout, stderr)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"compare", testdata + "a.npz", testdata + "b.npz"}, "is it nhwc or nchw?"},
		{[]string{"compare", testdata + "a.npz", testdata + "b.npz", "-layout", "chwn"}, "nchw"},
		{[]string{"compare", testdata + "a.npz", testdata + "b.npz", "-layout", "nchw", "-max-mem", "much"}, `"much" is no amount of memory`},
		{[]string{"compare", testdata + "a.npz", testdata + "b.npz", "-layout", "nchw", "-max-mem", "1MB"}, "of -max-mem"},
		{[]string{"merge", in("1.moments"), in("1.moments"), "-o", in("twice.moments")}, "1.moments"},
	} {
		if _, stderr, code := run(t, c.args...); code == 0 || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: exit code %d, %s", c.args, code, stderr)
		}
	}
}
