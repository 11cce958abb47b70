package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/asm"
)

// TestMain lets the test's program be the command itself.
func TestMain(m *testing.M) {
	if os.Getenv("PEERS_TEST_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// command returns what the command wrote and its exit code.
func command(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "PEERS_TEST_MAIN=1")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// TestWithoutPython runs a small list against what is always there: gonum.
func TestWithoutPython(t *testing.T) {
	dir := t.TempDir()
	list, table := filepath.Join(dir, "work.json"), filepath.Join(dir, "rows.json")
	err := os.WriteFile(list, []byte(`{"threads": [1], "gemm": [{"m": 20, "n": 30, "k": 40}], "moments": [{"n": 50, "p": 4}], "conv": [
		{"name": "a", "n": 1, "size": 4, "in": 1, "out": 1, "kernel": 3, "stride": 1, "pad": 1, "groups": 1}]}`), 0o666)
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := command(t, "-work", list, "-python", filepath.Join(dir, "python"), "-only", "gemm|moments|forward", "-pairs=1", "-json", table)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if !strings.Contains(stderr, "torch, openblas, numpy and scipy are left out") {
		t.Errorf("stderr: %s", stderr)
	}
	data, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"conv/a/forward": nil, "gemm/20x30x40": "gonum", "moments/N=50,p=4": "gonum"}
	lines, summary, _ := strings.Cut(stdout, "\n\n")
	if len(rows) != len(want) || strings.Count(lines, "\n") != len(want) || strings.Count(summary, "\n") != 3 {
		t.Fatalf("rows: %s, table: %s", data, stdout)
	}
	for _, r := range rows {
		if peer, ok := want[r["work"].(string)]; !ok || r["peer"] != peer || r["threads"] != 1. || r["ours_s"].(float64) <= 0 || r["peak_share"].(float64) <= 0 {
			t.Errorf("row %v", r)
		}
		if r["peer"] != nil && (r["peer_s"].(float64) <= 0 || r["ratio"].(float64) <= 0) {
			t.Errorf("row %v", r)
		}
	}
}

// TestTiers asks for a table of two tiers: one row each, under one header.
func TestTiers(t *testing.T) {
	dir := t.TempDir()
	list, table := filepath.Join(dir, "work.json"), filepath.Join(dir, "rows.json")
	if err := os.WriteFile(list, []byte(`{"threads": [1], "gemm": [{"m": 20, "n": 30, "k": 40}]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	tiers := []string{asm.Supported()[len(asm.Supported())-1].String(), "portable"}
	stdout, stderr, code := command(t, "-work", list, "-python", filepath.Join(dir, "python"), "-pairs=1", "-tiers", strings.Join(tiers, ","), "-json", table)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	data, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Tier != tiers[0] || rows[1].Tier != tiers[1] || strings.Count(stdout, "\n") != 7 {
		t.Errorf("rows %s, table:\n%s", data, stdout)
	}
}

// TestFrom sums up a table and draws it: of two peers the faster counts.
func TestFrom(t *testing.T) {
	dir := t.TempDir()
	table, drawing := filepath.Join(dir, "rows.json"), filepath.Join(dir, "ratios.svg")
	data, err := json.Marshal([]row{
		{Work: "conv/net.a/n=1/forward", Tier: "avx2", Threads: 1, Peer: "torch", Ratio: 4},
		{Work: "conv/net.a/n=1/forward", Tier: "avx2", Threads: 1, Peer: "other", Ratio: 1},
		{Work: "conv/net.b/n=1/forward", Tier: "avx2", Threads: 1, Peer: "torch", Ratio: 0.25},
		{Work: "gemm/1x2x3", Tier: "avx2", Threads: 2, Peer: "openblas", Ratio: 3},
		{Work: "gemm/1x2x4", Tier: "avx2", Threads: 2},
	})
	if err == nil {
		err = os.WriteFile(table, data, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := command(t, "-from", table, "-chart", drawing)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var got []string
	for line := range strings.Lines(stdout) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{"net n=1 forward 1 avx2 2 0.50 0.25 1", "gemm 2 avx2 1 3.00 3.00 0"}
	if len(got) != 4 || !slices.Equal(got[2:], want) {
		t.Errorf("got %q, want %q", got, want)
	}
	svg, err := os.ReadFile(drawing)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{">net n=1 forward<", ">gemm<", ">0.5<", ">threads: 2<"} {
		if !strings.Contains(string(svg), text) {
			t.Errorf("no %s in the drawing", text)
		}
	}
}

func TestBadInput(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list.json")
	if err := os.WriteFile(list, []byte(`{"gemm": [{"m": 0}]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"-work", "nowhere.json"}, "nowhere.json", 1},
		{[]string{"-work", list}, list + ": gemm/0x0x0", 1},
		{[]string{"-only", "conv(3"}, "missing closing )", 2},
		{[]string{"-only", "^nothing$"}, "no work matches ^nothing$", 1},
		{[]string{"-threads", "0"}, "-threads", 1},
		{[]string{"-pairs", "0"}, "-pairs", 1},
		{[]string{"-tiers", "sse9"}, `no tier "sse9"`, 1},
		{[]string{"-from", list}, list + ": not a table", 1},
		{[]string{"-work", list, "-from", "nowhere.json"}, "nowhere.json", 1},
		{[]string{"-bogus"}, "--bogus", 2},
	} {
		_, stderr, code := command(t, c.args...)
		if code != c.code || !strings.HasPrefix(stderr, "peers: ") || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit code %d, want %d: %s", strings.Join(c.args, " "), code, c.code, stderr)
		}
	}
}
