// Package cluster has recipes for machines that work together, and their tests.
package cluster

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// built is the folder of the command that the tests build, once.
var built string

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// program builds the command, and returns the folder that it is in.
func program(t *testing.T) string {
	t.Helper()
	if built != "" {
		return built
	}
	dir, err := os.MkdirTemp("", "cluster")
	if err != nil {
		t.Fatal(err)
	}
	built = dir
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "convergent"), "../convergent").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// slurm is a cluster of this machine alone, with daemons of its own.
type slurm struct {
	dir string
	env []string
}

// freePorts returns two ports that nobody listens to.
func freePorts(t *testing.T) (ports [2]int) {
	t.Helper()
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// startSlurm starts a cluster in a temporary folder, which ends with the test.
func startSlurm(t *testing.T, path string) *slurm {
	t.Helper()
	for _, name := range []string{"munged", "slurmctld", "slurmd", "sbatch"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no Slurm here (apt-get install slurm-wlm munge): %v", err)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("Slurm's daemons are run by root alone")
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	s := &slurm{dir: t.TempDir()}
	ports := freePorts(t)
	key := bytes.Repeat([]byte("a key of no secret.."), 8)
	conf := fmt.Sprintf(`ClusterName=test
SlurmctldHost=%[1]s(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=%[2]s/munge.socket,cred_expire=5
SlurmUser=root
SlurmctldPort=%[3]d
SlurmdPort=%[4]d
StateSaveLocation=%[2]s/state
SlurmdSpoolDir=%[2]s/spool
SlurmctldPidFile=%[2]s/slurmctld.pid
SlurmdPidFile=%[2]s/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
KillWait=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
NodeName=%[1]s NodeAddr=127.0.0.1 CPUs=4 RealMemory=100 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`, host, s.dir, ports[0], ports[1])
	for name, text := range map[string][]byte{"munge.key": key, "slurm.conf": []byte(conf)} {
		if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"state", "spool"} {
		if err := os.Mkdir(filepath.Join(s.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.env = append(os.Environ(), "SLURM_CONF="+filepath.Join(s.dir, "slurm.conf"), "PATH="+path+":"+os.Getenv("PATH"))
	s.daemon(t, "munged", "--foreground", "--force", "--key-file="+s.dir+"/munge.key", "--socket="+s.dir+"/munge.socket", "--pid-file="+s.dir+"/munge.pid", "--log-file="+s.dir+"/munge.log", "--seed-file="+s.dir+"/munge.seed")
	s.until(t, "munge's socket", func() bool { _, err := os.Stat(s.dir + "/munge.socket"); return err == nil })
	s.daemon(t, "slurmctld", "-D")
	s.daemon(t, "slurmd", "-D")
	t.Cleanup(func() { exec.Command("env", append(s.env, "scancel", "--user=root")...).Run() })
	s.until(t, "the node", func() bool {
		out, err := s.command("sinfo", "-h", "-o", "%T").Output()
		return err == nil && strings.HasPrefix(string(out), "idle")
	})
	return s
}

func (s *slurm) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Env, c.Dir = s.env, s.dir
	return c
}

// run returns what a command prints.
func (s *slurm) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := s.command(name, args...).CombinedOutput()
	if err != nil {
		s.logs(t)
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// daemon starts a program that is ended with the test.
func (s *slurm) daemon(t *testing.T, name string, args ...string) {
	t.Helper()
	c := s.command(name, args...)
	log, err := os.Create(filepath.Join(s.dir, name+".log"))
	if err == nil {
		c.Stdout, c.Stderr = log, log
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Signal(os.Interrupt)
		ended := time.AfterFunc(5*time.Second, func() { c.Process.Kill() })
		c.Wait()
		ended.Stop()
		log.Close()
	})
}

// until waits for something.
func (s *slurm) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.logs(t)
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

// logs shows what everyone said.
func (s *slurm) logs(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.log"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		t.Logf("%s:\n%s", filepath.Base(file), text[max(0, len(text)-4000):])
	}
}

// read is the content of all files in a folder, by name.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all[path[len(dir):]] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSlurm runs the recipe on a cluster: four tasks, of which one is requeued while it runs, and
// the merge that waits for them. The moments have the bytes of those made here one by one.
func TestSlurm(t *testing.T) {
	if testing.Short() {
		t.Skip("a cluster is started")
	}
	bin := program(t)
	convergent := filepath.Join(bin, "convergent")
	// The third task stops as it begins, once, and waits to be killed.
	path := t.TempDir()
	stalling := fmt.Sprintf(`#!/bin/bash
if [ "$1 $SLURM_ARRAY_TASK_ID" = "moments 2" ] && [ ! -e %[2]s/stalled ]; then
	%[1]s "$@" &
	kill -STOP $!
	touch %[2]s/stalled
	wait $!
	exit
fi
exec %[1]s "$@"
`, convergent, path)
	if err := os.WriteFile(filepath.Join(path, "convergent"), []byte(stalling), 0o755); err != nil {
		t.Fatal(err)
	}
	s := startSlurm(t, path)
	data, err := filepath.Abs("../convergent/testdata/onnx")
	if err != nil {
		t.Fatal(err)
	}
	submit, err := filepath.Abs("slurm/submit.sh")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{data + "/a.onnx", data + "/b.onnx", "-inputs", data + "/images.npz"}
	start := time.Now()
	out := filepath.Join(s.dir, "out")
	array, merge, _ := strings.Cut(s.run(t, submit, append([]string{"4", out}, args...)...), " ")
	s.until(t, "the third task", func() bool { _, err := os.Stat(path + "/stalled"); return err == nil })
	s.run(t, "scontrol", "requeue", array+"_2")
	state := func(job string) string {
		text, _ := s.command("scontrol", "show", "job", "-o", job).Output()
		return string(text)
	}
	s.until(t, "the merge", func() bool { return strings.Contains(state(merge), "JobState=COMPLETED") })
	if text := state(array + "_2"); !strings.Contains(text, "Restarts=1") {
		t.Errorf("the third task was not requeued: %s", text)
	}
	t.Logf("in %v", time.Since(start).Round(time.Millisecond))

	single := t.TempDir()
	for i := range 4 {
		s.run(t, convergent, append([]string{"moments", "-shard", fmt.Sprintf("%d/4", i+1), "-o", fmt.Sprintf("%s/shards/%d.moments", single, i)}, args...)...)
	}
	s.run(t, convergent, "merge", single+"/shards", "-o", single+"/all.moments")
	got, want := read(t, out), read(t, single)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s is missing or differs", name)
		}
	}
	if len(got) != len(want) || len(want) != 5*5 {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	if t.Failed() {
		s.logs(t)
	}
}
