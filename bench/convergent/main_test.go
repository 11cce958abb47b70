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
