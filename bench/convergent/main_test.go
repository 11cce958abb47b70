package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// statusFile is the variable that says where the command leaves its status.
const statusFile = "CONVERGENT_TEST_STATUS"

// TestMain lets the test's program be the command itself.
func TestMain(m *testing.M) {
	if os.Getenv("CONVERGENT_TEST_MAIN") != "" {
		main()
		if path := os.Getenv(statusFile); path != "" { // what Linux knows of this process, at its end
			if status, err := os.ReadFile("/proc/self/status"); err != nil || os.WriteFile(path, status, 0o644) != nil {
				os.Exit(1)
			}
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func command(args ...string) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	c := exec.Command(program, args...)
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
		"-images", "8", "-width", "0.1", "-draws", "3", "-shuffles", "19", "-layers", "conv1,conv2", "-lambdas", "0,0.1"}, more...)
}

// numbers are activations to compare.
type numbers struct{ rows, cols, seed int }

func (n numbers) Dims() (rows, cols int) { return n.rows, n.cols }
func (n numbers) At(i, j int) float64 {
	return rand.New(rand.NewPCG(uint64(n.seed), uint64(i*n.cols+j))).NormFloat64() + float64(i%7*(j%3))
}

func TestReproduce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	stdout, stderr, code := run(t, tiny(dir)...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"train network 2", "test network 1", "conv2", "rotated r"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("nothing about %q in:\n%s", want, stdout)
		}
	}
	if strings.Count(stdout, "accuracy") != 2 {
		t.Errorf("the accuracies of two networks are not said once:\n%s", stdout)
	}
	opens(t, stdout, dir)
	for _, name := range []string{"results.json", "report.html", "layers.csv", "nets/net2.safetensors"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: missing or empty: %v", name, err)
		}
	}
}

// TestIdentify looks for layers of a run; its networks need its images.
func TestIdentify(t *testing.T) {
	dir := t.TempDir()
	networks, out := filepath.Join(dir, "networks"), filepath.Join(dir, "out")
	if _, stderr, code := run(t, "reproduce", "-arch", "tiny10", "-o", networks, "-nets", "2", "-epochs=1", "-train", "64", "-test", "30", "-images", "8", "-width", "0.1", "-draws", "3", "-lambdas", "0.1"); code != 0 {
		t.Fatal(stderr)
	}
	// What no run wrote is neither replaced nor removed.
	mine := map[string]string{"identified.csv": filepath.Join(out, "identified.csv"), "a matrix": filepath.Join(out, "matrices", "mine")}
	for _, path := range mine {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte("mine"), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	if _, stderr, code := run(t, "identify", networks, "-o", out); code != 1 || !strings.Contains(stderr, "identified.csv is in the way") {
		t.Errorf("over a file of someone else's: exit code %d: %s", code, stderr)
	}
	if err := os.Remove(mine["identified.csv"]); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := run(t, "identify", networks, "-o", out)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if b, err := os.ReadFile(mine["a matrix"]); string(b) != "mine" {
		t.Errorf("a file of someone else's beside matrices: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(out, "matrices")); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := run(t, "identify", networks, "-o", out); code != 0 { // its own are
		t.Errorf("again: exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"conv8, pool", "linear CKA", "RBF CKA, 0.2", "linear regression, both ways", "CCA, mean square"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("nothing about %q in:\n%s", want, stdout)
		}
	}
	entries, err := os.ReadDir(out)
	if err != nil || len(entries) != 4 { // with the manifest
		t.Errorf("the folder of results has %v: %v", entries, err)
	}
	text, err := os.ReadFile(filepath.Join(out, "identified.csv"))
	if err != nil || !strings.HasPrefix(string(text), "layers,measure,networks,decisions,identified,low,high,ties_at_random\n9,linear CKA,2,18,") {
		t.Errorf("%v: %s", err, text)
	}
	if err := os.Remove(filepath.Join(networks, "nets", "net2.safetensors.json")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"identify", networks, "-o", out}, "net2.safetensors is missing"},
		{[]string{"identify", filepath.Join(dir, "nowhere"), "-o", out}, "nowhere"},
		{[]string{"identify", networks, "-o", out, "-images", "-1"}, "-images is -1"},
	} {
		if _, stderr, code := run(t, c.args...); code != 1 || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d: %s", c.args, code, stderr)
		}
	}
}

// opens fails unless output ends with what to open, and the time.
func opens(t *testing.T, stdout, dir string) {
	t.Helper()
	lines := strings.Split(stdout, "\n")
	if n := len(lines); n < 3 || lines[n-3] != "open "+filepath.Join(dir, "report.html") || !strings.HasPrefix(lines[n-2], "in ") || lines[n-1] != "" {
		t.Errorf("the last lines do not say what to open:\n%s", stdout)
	}
}

// TestInterrupt stops a run while it trains, before anything was saved, and after that, from where
// the same command goes on.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupts between processes")
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-epochs", "5000"}, "the same command goes on from here"},
		{[]string{"-epochs", "1", "-train", "4000"}, "stopped before anything was saved"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		cmd := command(tiny(out, c.args...)...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if lines := bufio.NewScanner(stdout); !lines.Scan() || !strings.Contains(lines.Text(), "train network") {
			t.Errorf("the first line is %q", lines.Text())
		}
		for range 200 { // 20 s
			if states, _ := filepath.Glob(filepath.Join(out, "nets", "*.state")); len(states) > 0 || c.args[1] == "1" {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
			t.Errorf("got %v", err)
		}
		if got := errs.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, c.want) {
			t.Errorf("stderr: %q, want %q", got, c.want)
		}
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
		{tiny("", "-o", file), file, 1},
		{tiny(dir, "-data", file), "neither a folder nor a whole zip", 1},
		{tiny(dir, "-data", filepath.Join(dir, "procedural")), "another name", 1},
		{tiny(dir, "-layers", "conv9"), "conv1, conv2, conv3", 1},
		{tiny(dir, "-lambdas", "-1"), "-lambdas -1", 1},
		{tiny(dir, "-epochs", "-1"), "epochs", 1},
		{tiny(dir, "-nets", "1"), "-nets 1: a comparison needs at least two networks", 1},
		{tiny(dir, "-seed", "0"), "-seed is 0; it must be 1 or more", 1},
		{tiny(dir, "-width", "-1"), "-width is -1; it must be 0 or more", 1},
		{tiny(dir, "-rate", "nan"), "-rate is NaN", 1},
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

// TestNamesOfNetworks may hold anything, and command no terminal.
func TestNamesOfNetworks(t *testing.T) {
	const testdata = "internal/comparison/testdata/"
	for _, layout := range []string{"nchw", ""} { // a run, and an error
		args := []string{"compare", testdata + "a.npz", testdata + "b.npz", "-names", "a\x1b[31m,b", "-layers", "conv1", "-o", filepath.Join(t.TempDir(), "out"), "-draws", "2", "-shuffles", "0"}
		if layout != "" {
			args = append(args, "-layout", layout)
		}
		if stdout, stderr, _ := run(t, args...); strings.Contains(stdout+stderr, "\x1b") {
			t.Errorf("an escape reaches the terminal: %q", stdout+stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	all, stderr, code := run(t)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, args := range [][]string{{"-h"}, {"-help"}, {"--help"}, {"help"}} {
		if stdout, stderr, code := run(t, args...); code != 0 || stdout != all {
			t.Errorf("%v: exit code %d: %s%s", args, code, stdout, stderr)
		}
	}
	for _, name := range commandNames(t) {
		if !strings.Contains(all, "\n  "+name+" ") {
			t.Errorf("the help does not list %s", name)
		}
		stdout, stderr, code := run(t, name, "-h")
		if code != 0 || !strings.HasPrefix(stdout, "Usage: convergent "+name) || !strings.Contains(stdout, "Examples:\n\n    convergent "+name) {
			t.Errorf("%s -h: exit code %d: %s%s", name, code, stdout, stderr)
		}
		if help, stderr, code := run(t, "help", name); code != 0 || help != stdout {
			t.Errorf("help %s: exit code %d: %s%s", name, code, help, stderr)
		}
	}
	if _, stderr, code := run(t, "help", "dance"); code != 2 || !strings.Contains(stderr, "dance") {
		t.Errorf("help dance: exit code %d: %s", code, stderr)
	}
}

func commandNames(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, node := range kong.Must(new(commands), kong.Vars{"version": ""}).Model.Children {
		names = append(names, node.Name)
	}
	return names
}

// TestTier: CONVERGENT_CPU that names no tier is said before any work, and the tier that is
// slow before much of it.
func TestTier(t *testing.T) {
	for _, c := range []struct {
		tier, want string
		code       int
		args       []string
	}{
		{"sse9", "convergent: asm: CONVERGENT_CPU=\"sse9\" is not one of portable, avx2, avx512, neon\n", 2, []string{"version"}},
		{"Portable", portableNote + "\nconvergent: ", 1, []string{"compare", "missing1.npy", "missing2.npy"}},
		{"portable", "", 0, []string{"version"}},
	} {
		cmd := command(c.args...)
		cmd.Env = append(cmd.Env, "CONVERGENT_CPU="+c.tier)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if cmd.Run(); cmd.ProcessState.ExitCode() != c.code || !strings.HasPrefix(stderr.String(), c.want) || c.want == "" && stderr.Len() > 0 {
			t.Errorf("%s: exit code %d: %s", c.tier, cmd.ProcessState.ExitCode(), stderr.String())
		}
	}
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"version", "-version", "--version"} {
		stdout, stderr, code := run(t, arg)
		if want := fmt.Sprintf("convergent (devel)\n%s %s/%s, %v\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, asm.Active()); code != 0 || stdout != want {
			t.Errorf("%s: exit code %d, %q, want %q: %s", arg, code, stdout, want, stderr)
		}
	}
	revision := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "abc1234def5678"}}
	modified := append(revision, debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	for _, c := range []struct {
		version  string
		settings []debug.BuildSetting
		want     string
	}{
		{"v1.2.3", nil, "v1.2.3"},
		{"v1.2.3+dirty", modified, "v1.2.3+dirty"},
		{"(devel)", append(revision, debug.BuildSetting{Key: "vcs.modified", Value: "false"}), "(devel) abc1234"},
		{"(devel)", modified, "(devel) abc1234, modified"},
		{"", nil, "(devel)"},
	} {
		if got := buildSource(&debug.BuildInfo{Main: debug.Module{Version: c.version}, Settings: c.settings}); got != c.want {
			t.Errorf("%q with %v: %q, want %q", c.version, c.settings, got, c.want)
		}
	}
}

// TestCompletion has each shell that there is complete words, the last of a line.
func TestCompletion(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"A.npy", "B.npz"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	every := strings.Join(commandNames(t), " ")
	lines := []struct{ words, want, not string }{
		{"convergent ", every, "A.npy"},
		{"convergent com", "compare completion", "merge"},
		{"convergent compare -lay", "-layer-files -layers -layout", "-names"},
		{"convergent compare A.npy --lay", "--layer-files --layers --layout", "--names"},
		{"convergent compare -layout ", "nchw nhwc", "A.npy"},
		{"convergent compare -pool --layout nc", "nchw", "nhwc"},
		{"convergent compare A", "A.npy", "B.npz"},
		{"convergent compare -layout nchw ", "A.npy B.npz", "nhwc"},
		{"convergent merge -o ", "A.npy B.npz", "-overwrite"},
		{"convergent reproduce -data ", "A.npy B.npz", "-nets"},
		{"convergent reproduce -layers ", "conv1 conv2 conv3 conv4 conv5", "A.npy"},
		{"convergent reproduce ", "", "A.npy"},
		{"convergent reproduce -nets ", "", "A.npy"},
		{"convergent completion ", "bash fish zsh", "A.npy"},
		{"convergent help ", every, "A.npy"},
	}
	for shell, program := range map[string]struct{ check, complete string }{
		// Where the function gives nothing, and has not said otherwise, bash completes files.
		"bash": {"-n", `source "$1"
			compopt() { default=; }
			default=1 words=($2)
			[[ $2 == *' ' ]] && words+=('')
			COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]}-1))
			_convergent
			printf '%s\n' "${COMPREPLY[@]}"
			[[ ${#COMPREPLY[@]} == 0 && $default ]] && compgen -f -- "${words[COMP_CWORD]}"
			complete -p convergent | grep -q -e '-o default.* -F _convergent'`},
		"fish": {"-n", `source $argv[1]; complete -C $argv[2] | cut -f 1`},
		"zsh":  {"-n", ""},
	} {
		t.Run(shell, func(t *testing.T) {
			stdout, stderr, code := run(t, "completion", shell)
			if code != 0 {
				t.Fatal(stderr)
			}
			script := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(script, []byte(stdout), 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip(err)
			}
			if out, err := exec.Command(shell, program.check, script).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if program.complete == "" {
				return // it completes at a terminal alone
			}
			for _, line := range lines {
				args := []string{"-c", program.complete, script, line.words}
				if shell == "bash" {
					args = append(args[:2], append([]string{shell}, args[2:]...)...)
				}
				c := exec.Command(shell, args...)
				c.Dir = dir
				c.Env = append(os.Environ(), "HOME="+dir)
				out, err := c.CombinedOutput()
				if err != nil {
					t.Fatalf("%s: %v\n%s", line.words, err, out)
				}
				got := strings.Fields(string(out))
				for _, want := range strings.Fields(line.want) {
					if !slices.Contains(got, want) {
						t.Errorf("%q: %s is not in %q", line.words, want, got)
					}
				}
				if slices.Contains(got, line.not) {
					t.Errorf("%q: %s is in %q", line.words, line.not, got)
				}
			}
		})
	}
	if _, stderr, code := run(t, "completion", "sh"); code != 2 || !strings.Contains(stderr, "bash") {
		t.Errorf("completion sh: exit code %d: %s", code, stderr)
	}
}

// TestCompare goes the whole way with activations: compared at once, and as moments
// of shards that are merged.
func TestCompare(t *testing.T) {
	const testdata = "internal/comparison/testdata/"
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	stdout, stderr, code := run(t, "compare", testdata+"a.npz", "-layout", "NCHW", testdata+"b.npz", "-o", in("out"), "-shuffles", "3", "-draws", "5")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	opens(t, stdout, in("out"))
	for _, want := range []string{"conv1", "6, 7", "conv2", "matched r"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("nothing about %q in:\n%s", want, stdout)
		}
	}
	for _, name := range []string{"results.json", "report.html", "figures/layers_1_2.svg", "layers/conv2/1-2/measures.json"} {
		if info, err := os.Stat(in("out/" + name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: missing or empty: %v", name, err)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"compare", testdata + "a.npz", testdata + "b.npz"}, "nhwc or nchw?"},
		{[]string{"compare", testdata + "a.npz", testdata + "b.npz", "-layout", "chwn"}, "nchw"},
		{[]string{"compare", testdata + "a.npz", testdata + "b.npz", "-layout", "nchw", "-max-mem", "much"}, `"much" is no amount of memory`},
		{[]string{"compare", testdata + "a.npz", testdata + "b.npz", "-layout", "nchw", "-max-mem", "1MB"}, "-max-mem: this takes about"},
		{[]string{"compare", "A", "B", "-draws", "0"}, "-draws is 0; it must be 1 or more"},
		{[]string{"compare", "A", "B", "-shuffles=-2"}, "-shuffles is -2; it must be 0 or more"},
		{[]string{"moments", "A", "B", "-o", "x", "-threads", "-1"}, "-threads is -1"},
		{[]string{"compare", "A", "B", "-draws", "1000000000"}, "-draws is 1000000000; it must be 1000000 or less"},
		{[]string{"compare", "A", "B", "-shuffles", "9000000000000000000"}, "-shuffles is"},
		{[]string{"compare", "A", "B", "-groups", "1000000000"}, "-groups is 1000000000; it must be"},
		{[]string{"compare", "A", "B", "-threads", "1000000000"}, "-threads is 1000000000; it must be 4096 or less"},
		{[]string{"reproduce", "-epochs", "1000000000"}, "-epochs is 1000000000; it must be"},
		{[]string{"reproduce", "-train", "1000000000"}, "-train is 1000000000; it must be"},
		{[]string{"identify", "x", "-threads", "1000000000"}, "-threads is 1000000000; it must be"},
	} {
		if _, stderr, code := run(t, c.args...); code == 0 || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: exit code %d, %s", c.args, code, stderr)
		}
	}
}

// TestMoments goes the whole way by moments of shards that are merged; nothing is counted
// twice, and nothing replaced unasked.
func TestMoments(t *testing.T) {
	t.Chdir(t.TempDir())
	for i, name := range []string{"a1", "b1", "a2", "b2", "layers-of-a/1", "layers-of-a/2", "layers-of-b/1", "layers-of-b/2"} {
		if err := arrays.WriteNPY(name+".npy", numbers{60, 4, i}); err != nil {
			t.Fatal(err)
		}
	}
	succeeds := func(want string, args ...string) {
		t.Helper()
		if stdout, stderr, code := run(t, args...); code != 0 || stderr != "" || !strings.Contains(stdout, want) {
			t.Fatalf("%q: exit code %d, %s, want %q:\n%s", args, code, stderr, want, stdout)
		}
	}
	succeeds("1.moments\n", "moments", "a1.npy", "b1.npy", "-o", "1.moments")
	succeeds("2.moments\n", "moments", "a2.npy", "-out=2.moments", "b2.npy")
	succeeds("both/2.moments\n", "moments", "-layer-files", "layers-of-a", "layers-of-b", "--out", "both")
	one, err := os.ReadFile("1.moments")
	if err != nil {
		t.Fatal(err)
	}
	mine := []string{"mine", "some/2.moments"}
	err = errors.Join(os.WriteFile("copy", one, 0o666), os.Symlink("1.moments", "link"), os.Mkdir("some", 0o777),
		os.WriteFile(mine[0], []byte("mine"), 0o666), os.WriteFile(mine[1], []byte("mine"), 0o666))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"moments a2.npy b2.npy -o mine", "mine is there already; choose another with -out, or -overwrite"},
		{"moments layers-of-a layers-of-b -layer-files -o some", mine[1] + " is there already"},
		{"merge 1.moments -o all.moments", "merge needs two files or more"},
		{"merge 1.moments 1.moments -o all.moments", "1.moments and 1.moments hold the same samples"},
		{"merge 2.moments 1.moments link -o all.moments", "1.moments and link hold the same samples"},
		{"merge 1.moments 2.moments copy -o all.moments", "1.moments and copy hold the same samples"},
		{"merge 1.moments none -o all.moments", "none"},
		{"merge 1.moments 2.moments -o 1.moments", "1.moments is there already"},
		{"merge 1.moments 2.moments -o mine", "-overwrite"},
	} {
		if stdout, stderr, code := run(t, strings.Fields(c.args)...); code != 1 || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit code %d, %s, want %q:\n%s", c.args, code, stderr, c.want, stdout)
		}
	}
	for _, name := range mine {
		if b, err := os.ReadFile(name); err != nil || string(b) != "mine" {
			t.Errorf("%s is replaced: %v", name, err)
		}
	}
	for _, name := range []string{"all.moments", "some/1.moments"} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%s is there after an error", name)
		}
	}
	succeeds("all.moments: 2 networks, 120 observations\n", "merge", "1.moments", "-o", "all.moments", "2.moments")
	succeeds("matched r", "compare", "all.moments", "-out", "out", "-draws", "5")
	succeeds("mine\n", "moments", "a2.npy", "b2.npy", "-o", "mine", "-overwrite")
	succeeds("some/1.moments\n", "moments", "layers-of-a", "layers-of-b", "-layer-files", "-o=some", "-overwrite")
	succeeds("1.moments: 2 networks, 120 observations\n", "merge", "1.moments", "2.moments", "-o", "1.moments", "-overwrite")
}

// TestFailureLeavesNoFolder has commands fail before they wrote anything.
func TestFailureLeavesNoFolder(t *testing.T) {
	dir := t.TempDir()
	before := filepath.Join(dir, "before")
	if err := os.Mkdir(before, 0o777); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(dir, "none.npy")
	for _, args := range [][]string{
		{"reproduce", "-data", none},
		{"reproduce", "-layers", "conv9"},
		{"reproduce", "-train", "64", "-test", "30", "-networks", none + "," + none},
		{"compare", none, none},
		{"compare", "internal/comparison/testdata/a.npz", "internal/compare/testdata/b.npz"}, // of no layout
		{"compare", filepath.Join(dir, "none.moments")},
		{"moments", none, none},
		{"merge", none, none},
	} {
		made := filepath.Join(dir, "made")
		for _, out := range []string{before, filepath.Join(made, "deep")} {
			if _, stderr, code := run(t, append(args, "-out", out)...); code != 1 {
				t.Errorf("%q: exit code %d: %s", args, code, stderr)
			}
		}
		if _, err := os.Stat(made); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q left a folder (%v)", args, err)
			os.RemoveAll(made)
		}
		if entries, err := os.ReadDir(before); err != nil || len(entries) > 0 {
			t.Errorf("%q left %v in the folder that was there (%v)", args, entries, err)
		}
	}
}
