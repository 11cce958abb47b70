package report

import (
	"context"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	printed "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// chromium finds a browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium is installed: the page's interactions are not tested")
	return ""
}

// visit is a browser that shows a page.
type visit struct {
	t         *testing.T
	ctx       context.Context
	dir       string // of the page
	downloads string
	lock      sync.Mutex
	complaint []string // of the console, and requests that leave the page
}

func open(t *testing.T, path string) *visit {
	t.Helper()
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.WSURLReadTimeout(time.Minute), chromedp.WindowSize(1200, 900))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), o...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(stop)
	v := &visit{t: t, ctx: ctx, dir: filepath.Dir(path), downloads: t.TempDir()}
	complain := func(format string, args ...any) {
		v.lock.Lock()
		defer v.lock.Unlock()
		v.complaint = append(v.complaint, fmt.Sprintf(format, args...))
	}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complain("exception: %s", e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			complain("console: %s %v", e.Type, e.Args)
		case *log.EventEntryAdded:
			complain("log: %s", e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; u != "file://"+path && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:") {
				complain("request: %s", u)
			}
		}
	})
	v.do(log.Enable(), network.Enable(), browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(v.downloads), chromedp.Navigate("file://"+path))
	return v
}

func (v *visit) do(actions ...chromedp.Action) {
	v.t.Helper()
	if err := chromedp.Run(v.ctx, actions...); err != nil {
		v.t.Fatal(err)
	}
}

// quiet holds that nobody complained.
func (v *visit) quiet() {
	v.t.Helper()
	v.lock.Lock()
	defer v.lock.Unlock()
	for _, c := range v.complaint {
		v.t.Error(c)
	}
}

// eval returns what an expression of the page is.
func eval[T any](v *visit, expression string) T {
	v.t.Helper()
	var x T
	v.do(chromedp.Evaluate(expression, &x))
	return x
}

// downloaded clicks and returns the file that comes.
func (v *visit) downloaded(selector, name string) string {
	v.t.Helper()
	v.do(chromedp.Click(selector, chromedp.ByQuery))
	for range 100 {
		if b, err := os.ReadFile(filepath.Join(v.downloads, name)); err == nil && len(b) > 0 {
			return string(b)
		}
		time.Sleep(50 * time.Millisecond)
	}
	there, _ := os.ReadDir(v.downloads)
	v.t.Fatalf("no download of %s, but of %v; %v", name, there, v.complaint)
	return ""
}

// tip is what the page says of a place that is pointed at.
func (v *visit) tip(x, y float64) string {
	v.do(chromedp.MouseEvent(input.MouseMoved, x, y))
	return eval[string](v, `document.querySelector("#tip").textContent`)
}

// order arranges the matrix.
func (v *visit) order(order string) {
	v.do(chromedp.SetValue("#order", order, chromedp.ByQuery), chromedp.Evaluate(`document.querySelector("#order").dispatchEvent(new Event("change"))`, nil))
}

// phone holds that the page is no wider than a phone.
func (v *visit) phone() {
	v.t.Helper()
	const width = 360
	v.do(emulation.SetDeviceMetricsOverride(width, 740, 2, true))
	if w := eval[float64](v, `document.scrollingElement.scrollWidth`); w > width {
		v.t.Errorf("on a phone the page is %v wide: %q", w, eval[[]string](v, `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > 361 && !e.closest(".scroll, figure")).map((e) => e.outerHTML.slice(0, 90))`))
	}
}

// center returns the middle of a matrix element on the screen.
func (v *visit) center(i, j, n int) (x, y float64) {
	box := eval[[]float64](v, `(() => { document.querySelector("#matrix").scrollIntoView({block: "center"}); const b = document.querySelector("#matrix").getBoundingClientRect(); return [b.left, b.top, b.width] })()`)
	return box[0] + box[2]*(float64(j)+0.5)/float64(n), box[1] + box[2]*(float64(i)+0.5)/float64(n)
}

// TestHostilePage shows networks of which only activations are known, under names that
// nobody should give.
func TestHostilePage(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	dir := t.TempDir()
	layers := func(seed uint64) []fixture {
		return []fixture{{layer: "conv1", units: 9, side: 2, seed: seed}, {layer: "matrix", units: 12, side: 2, seed: seed}} // which is what the page itself has
	}
	a := compare(t, source.Options{Networks: []string{activations(t, dir, "a", 40, layers(1)...), activations(t, dir, "b", 40, layers(2)...)}, Names: hostileNames[:2]}, smallAnalysis)
	units := []string{"</script>", "a,b", "ü", "line\nline\rline", "4", "5", "6", "7", hostileNames[1]}
	a.Results.Layers[0].UnitNames = [][]string{units, nil}
	a.Results.Layers[1].NetworkLayers = []string{hostileNames[0], "matrix"}
	if err := Write(dir, a); err != nil {
		t.Fatal(err)
	}
	v := open(t, filepath.Join(dir, "report.html"))
	v.do(chromedp.Click("#pairs tbody tr", chromedp.ByQuery))
	if n := eval[[]int](v, `[document.querySelectorAll("#pair .unit").length, document.querySelectorAll("#overview article").length, document.querySelectorAll("section").length, document.querySelectorAll("img[src=x]").length]`); !slices.Equal(n, []int{2, 5, 12, 0}) {
		t.Errorf("units, claims, sections and intruders: %d", n)
	}
	if title := eval[string](v, `document.querySelectorAll("#pair h4")[1].title`); !strings.HasPrefix(title, hostileNames[1]+", unit ") {
		t.Errorf("a unit's full name is %q", title)
	}
	if long := eval[[]string](v, `[...document.querySelectorAll("h4, option, #tip, #pairs td")].map((e) => e.textContent).filter((s) => s.length > 80)`); len(long) > 0 {
		t.Errorf("longer than there is room: %q", long)
	}
	v.order("trained")
	rows, err := csv.NewReader(strings.NewReader(v.downloaded("#matrix-csv", "correlation_conv1_1_2.csv"))).ReadAll()
	if err != nil || len(rows) != len(units)+1 || rows[0][0] != hostileNames[0]+" / "+hostileNames[1] {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for u, name := range units {
		if got := strings.ReplaceAll(rows[u+1][0], "\n", ""); got != strings.ReplaceAll(name, "\n", "") {
			t.Errorf("unit %d is called %q", u, got)
		}
	}
	v.do(chromedp.Evaluate(`document.getElementById("layer").value = "1"; document.getElementById("layer").dispatchEvent(new Event("change"))`, nil), chromedp.Click("#pairs tbody tr", chromedp.ByQuery))
	if got := eval[string](v, `document.querySelector("#pair h4").textContent`); !strings.HasPrefix(got, hostileNames[0]+" of "+hostileNames[0]+", unit ") {
		t.Errorf("a unit of a layer that is called otherwise: %q", got)
	}
	v.phone()
	v.quiet()
}

// TestPage uses a page as people do.
func TestPage(t *testing.T) {
	if testing.Short() {
		t.Skip("trains networks and starts a browser")
	}
	chromium(t)
	dir := t.TempDir()
	_, a := reproduce(t, smallStudy)
	if err := Write(dir, a); err != nil {
		t.Fatal(err)
	}
	if page := read(t, dir); len(page) > 5<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	v := open(t, filepath.Join(dir, "report.html"))

	if n := eval[int](v, `document.querySelectorAll("#overview article").length`); n != 7 {
		t.Errorf("%d claims", n)
	}
	unnamed := eval[[]string](v, `[...document.querySelectorAll("button, select, img, canvas, a")].filter((e) => !(e.textContent.trim() || e.alt || e.ariaLabel || e.labels?.length)).map((e) => e.outerHTML.slice(0, 80))`)
	if len(unnamed) > 0 {
		t.Errorf("without a name for screen readers: %q", unnamed)
	}
	if twice := eval[[]string](v, `(() => { const ids = [...document.querySelectorAll("[id]")].map((e) => e.id); return ids.filter((id, i) => ids.indexOf(id) !== i) })()`); len(twice) > 0 {
		t.Errorf("ids that occur twice: %q", twice)
	}
	if broken := eval[[]string](v, `[...document.querySelectorAll("a[href^='#']")].map((a) => a.getAttribute("href")).filter((h) => !document.getElementById(h.slice(1)))`); len(broken) > 0 {
		t.Errorf("links to nowhere: %q", broken)
	}

	for _, c := range []struct {
		name string
		test func(t *testing.T, v *visit, a *results.Artifacts)
	}{
		{"first paint", testFirstPaint},
		{"keyboard", testKeyboard},
		{"values in figures", testValues},
		{"contrast", testContrast},
		{"pointer", testPointer},
		{"address and search", testAddress},
		{"orders", testOrders},
		{"matrix data", testMatrixData},
		{"layer and networks", testChoice},
		{"tree", testTree},
		{"tables", testSorting},
		{"downloads", testDownloads},
		{"colours", testColours},
		{"phone", testPhone},
		{"paper", testPaper},
		{"without JavaScript", testWithoutScript},
	} {
		t.Run(c.name, func(t *testing.T) {
			v.t = t
			c.test(t, v, a)
		})
	}
	v.t = t
	v.quiet()
}

// testFirstPaint holds that the first words are seen soon: in a quarter of a second where nothing else
// runs, and on a busy machine in two, at one of several attempts.
func testFirstPaint(t *testing.T, v *visit, _ *results.Artifacts) {
	var at float64
	for range 5 {
		if at = eval[float64](v, `performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 1e6`); at < 2000 {
			return
		}
		v.do(chromedp.Reload())
	}
	t.Errorf("the first words are seen after %.0f ms", at)
}

func testPointer(t *testing.T, v *visit, a *results.Artifacts) {
	l := a.Results.Layers[0]
	pair := l.Pairs[0]
	units, partners := matchedOrder(pair.Bipartite)
	x, y := v.center(2, 2, l.Units[0])
	want := fmt.Sprintf("seed 1, unit %d and seed 2, unit %d: r %.2f", units[2], partners[2], *pair.Bipartite.R[units[2]])
	if got := v.tip(x, y); got != want {
		t.Errorf("hovered %q, want %q", got, want)
	}
	v.do(chromedp.MouseClickXY(x, y))
	got := eval[string](v, `document.querySelector("#pair").innerText`)
	for _, part := range []string{fmt.Sprintf("r = %.2f, matched one to one", *pair.Bipartite.R[units[2]]), fmt.Sprintf("seed 1, unit %d", units[2]), fmt.Sprintf("seed 2, unit %d", partners[2])} {
		if !strings.Contains(got, part) {
			t.Errorf("chosen: %q lacks %q", got, part)
		}
	}
	if n := eval[int](v, `document.querySelectorAll("#pair .picture").length`); n != 2*(1+sheetPatches) {
		t.Errorf("%d pictures of a pair", n)
	}
	// Zoomed in, the middle stays, and less is seen.
	v.do(chromedp.Click("#closer", chromedp.ByQuery), chromedp.Click("#closer", chromedp.ByQuery))
	x, y = v.center(0, 0, l.Units[0])
	if got := v.tip(x, y); strings.Contains(got, fmt.Sprintf("seed 1, unit %d and", units[0])) {
		t.Errorf("zoomed in, the corner is still %q", got)
	}
	v.do(chromedp.Click("#whole", chromedp.ByQuery))
	// With the wheel what is pointed at stays, dragging moves it.
	n := l.Units[0]
	x, y = v.center(n-2, n-2, n)
	under := v.tip(x, y)
	wheel := input.DispatchMouseEvent(input.MouseWheel, x, y).WithDeltaX(0).WithDeltaY(-300)
	top := eval[float64](v, `scrollY`)
	v.do(wheel, chromedp.Poll(fmt.Sprintf(`scrollY < %g - 200`, top), nil), chromedp.Sleep(200*time.Millisecond)) // the page scrolls
	x, y = v.center(n-2, n-2, n)
	if got := v.tip(x, y); got != under {
		t.Errorf("the wheel alone brings %q where %q was", got, under)
	}
	wheel.X, wheel.Y = x, y
	v.do(wheel.WithModifiers(input.ModifierCtrl))
	if got := v.tip(x, y); got != under {
		t.Errorf("after the wheel %q is where %q was", got, under)
	}
	cornerX, cornerY := v.center(0, 0, n)
	if got := v.tip(cornerX, cornerY); strings.Contains(got, fmt.Sprintf("seed 1, unit %d and", units[0])) {
		t.Errorf("after the wheel the corner is still %q", got)
	}
	v.do(chromedp.MouseEvent(input.MousePressed, x, y, chromedp.ButtonLeft), chromedp.MouseEvent(input.MouseMoved, x-40, y-30, chromedp.ButtonLeft),
		chromedp.MouseEvent(input.MouseMoved, (x+cornerX)/2, (y+cornerY)/2, chromedp.ButtonLeft), chromedp.MouseEvent(input.MouseReleased, (x+cornerX)/2, (y+cornerY)/2, chromedp.ButtonLeft))
	if got := v.tip(x, y); got == under {
		t.Errorf("dragged, %q has not moved", got)
	}
	v.do(chromedp.Click("#whole", chromedp.ByQuery))
}

func testOrders(t *testing.T, v *visit, a *results.Artifacts) {
	l := a.Results.Layers[0]
	pair, n := l.Pairs[0], l.Units[0]
	semi, best := matchedOrder(pair.Semi)
	v.order("semi")
	x, y := v.center(1, 1, n)
	if got, want := v.tip(x, y), fmt.Sprintf("seed 1, unit %d and seed 2, unit %d: r %.2f", semi[1], best[1], *pair.Semi.R[semi[1]]); got != want {
		t.Errorf("best partners: %q, want %q", got, want)
	}
	v.order("tree")
	order := a.Layers[0].Tree.Order()
	rows1 := slices.DeleteFunc(slices.Clone(order), func(u int) bool { return u >= n })
	if got, want := v.tip(x, y), fmt.Sprintf("seed 1, unit %d and", rows1[1]); !strings.HasPrefix(got, want) {
		t.Errorf("by the tree: %q, want %q", got, want)
	}
	v.order("one")
	// By keyboard alone.
	v.do(chromedp.Focus("#matrix", chromedp.ByQuery), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter))
	if got := eval[string](v, `document.querySelector("#status").textContent`); !strings.HasPrefix(got, "seed 1, unit ") {
		t.Errorf("by keyboard: %q", got)
	}
}

func testMatrixData(t *testing.T, v *visit, a *results.Artifacts) {
	l := a.Results.Layers[0]
	v.order("trained")
	rows, err := csv.NewReader(strings.NewReader(v.downloaded("#matrix-csv", "correlation_conv1_1_2.csv"))).ReadAll()
	if err != nil || len(rows) != l.Units[0]+1 {
		t.Fatalf("%d rows of data: %v", len(rows), err)
	}
	for i, row := range rows[1:] {
		for j, cell := range row[1:] {
			var r float64
			if _, err := fmt.Sscan(cell, &r); err != nil || math.Abs(r-a.Layers[0].Correlation.At(i, l.Units[0]+j)) > 1e-4 {
				t.Fatalf("r of units %d and %d is %s", i, j, cell)
			}
		}
	}
	svg := v.downloaded("#matrix-svg", "correlation_conv1_1_2.svg")
	wellFormed(t, "the matrix", []byte(svg))
	if n := strings.Count(svg, ">unit 0</text>"); n != 2 || !strings.Contains(svg, "columns are units of seed 2, rows of seed 1") {
		t.Errorf("the matrix has the first unit %d times in its axes, want twice: %.400s", n, svg)
	}
}

func testChoice(t *testing.T, v *visit, a *results.Artifacts) {
	v.do(chromedp.Evaluate(`for (const [id, value] of [["layer", "1"], ["networks", "1,2"]]) { document.getElementById(id).value = value; document.getElementById(id).dispatchEvent(new Event("change")); }`, nil))
	l := a.Results.Layers[1]
	units, _ := matchedOrder(l.Pairs[2].Bipartite)
	if n := eval[int](v, `document.querySelectorAll("#pairs tbody tr").length`); n != len(units) {
		t.Errorf("%d pairs are listed, want %d", n, len(units))
	}
	v.do(chromedp.Evaluate(`document.querySelector("#pairs tbody tr").focus()`, nil), chromedp.KeyEvent(kb.Enter))
	if got := eval[string](v, `document.querySelector("#pair").innerText`); !strings.Contains(got, fmt.Sprintf("seed 2, unit %d", units[0])) {
		t.Errorf("chosen from the list: %q", got)
	}
}

func testTree(t *testing.T, v *visit, a *results.Artifacts) {
	merges, leaves := 0, make(map[int]bool)
	units := a.Results.Layers[1].Units[0] + a.Results.Layers[1].Units[1]
	for _, m := range a.Layers[1].Tree.Merges {
		if m.Height > 0 {
			merges++
			for _, k := range []int{m.A, m.B} {
				if k < units {
					leaves[k] = true
				}
			}
		}
	}
	counts := eval[[]int](v, `[document.querySelectorAll("#tree g:not(.leaf)").length, document.querySelectorAll("#tree .leaf").length, parseInt(document.querySelector("#tree-status").textContent) || 0]`)
	if !slices.Equal(counts, []int{merges, len(leaves), units - len(leaves)}) {
		t.Errorf("%d joins, leaves and units without weights, want %d, %d and %d", counts, merges, len(leaves), units-len(leaves))
	}
	if says := eval[string](v, `document.querySelector("#tree g:not(.leaf) title").textContent`); !strings.Contains(says, "mean weight 0.") {
		t.Errorf("a join says %q", says)
	}
	width := func() float64 { return eval[float64](v, `document.querySelector("#tree svg").width.baseVal.value`) }
	before := width()
	v.do(chromedp.Click("#tree-closer", chromedp.ByQuery))
	if wider := width(); wider <= before {
		t.Errorf("the tree is %v wide, and was %v", wider, before)
	}
	v.do(chromedp.Click("#tree-whole", chromedp.ByQuery), chromedp.Evaluate(`document.querySelector("#tree .leaf").dispatchEvent(new MouseEvent("click"))`, nil))
	if n := eval[int](v, `document.querySelectorAll("#pair .unit").length`); n != 2 {
		t.Errorf("%d units shown from the tree", n)
	}
}

// testKeyboard goes from the top of the page to the matrix.
func testKeyboard(t *testing.T, v *visit, _ *results.Artifacts) {
	v.do(chromedp.Evaluate(`document.activeElement.blur(); scrollTo(0, 0)`, nil), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	if id := eval[string](v, `document.activeElement.id`); id != "matrix" {
		t.Errorf("two stops lead to %q", id)
	}
	if stops := eval[[]string](v, `[...document.querySelectorAll("table")].filter((t) => [...t.tHead.querySelectorAll("button")].filter((b) => b.tabIndex >= 0).length !== 1).map((t) => t.caption.textContent)`); len(stops) > 0 {
		t.Errorf("heads of tables of other than one stop: %q", stops)
	}
}

// testValues points at a place of a figure.
func testValues(t *testing.T, v *visit, _ *results.Artifacts) {
	for _, name := range eval[[]string](v, `[...document.querySelectorAll("figure")].map((f) => f.dataset.name).filter((n) => !n.startsWith("pairs_") && !data_marks().includes(n)); function data_marks() { return Object.keys(JSON.parse(document.getElementById("data").textContent).marks) }`) {
		t.Errorf("%s tells no values", name)
	}
	at := eval[[]float64](v, `(() => { const i = document.querySelector("figure[data-name=means] img"), m = JSON.parse(document.getElementById("data").textContent).marks.means; i.scrollIntoView({block: "center"}); const b = i.getBoundingClientRect(), s = b.width / i.getAttribute("width"); return [b.left + m[0] * s, b.top + m[1] * s] })()`)
	v.do(chromedp.MouseEvent(input.MouseMoved, at[0], at[1]))
	want := eval[string](v, `JSON.parse(document.getElementById("data").textContent).marks.means[2]`)
	if got := eval[string](v, `document.querySelector("figure[data-name=means] .tip:not([hidden])")?.textContent ?? ""`); got != want || !strings.HasPrefix(got, "semi-matching, conv1: 0.") {
		t.Errorf("the figure tells %q, want %q", got, want)
	}
}

// testContrast holds that text is at least 4.5 times as light as what is behind it, or the other
// way round.
func testContrast(t *testing.T, v *visit, _ *results.Artifacts) {
	low := eval[[]string](v, `(() => {
		const light = (c) => { const [r, g, b] = c.match(/[\d.]+/g).map((v) => c.startsWith("color(") ? v : v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
		const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(", 0)")) return c } return getComputedStyle(document.body).backgroundColor };
		const low = [];
		for (const theme of ["dark", "light"]) {
			document.documentElement.dataset.theme = theme;
			for (const e of document.querySelectorAll("h1, h2, h3, h4, p, a, li, td, th, caption, figcaption, button, dt, dd, label, select, span, small, code, summary, blockquote")) {
				const [a, b] = [light(getComputedStyle(e).color), light(behind(e))], ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
				if (ratio < 4.5) low.push(theme + " " + ratio.toFixed(2) + " " + e.outerHTML.slice(0, 60));
			}
		}
		document.documentElement.dataset.theme = "";
		return low.slice(0, 5);
	})()`)
	if len(low) > 0 {
		t.Errorf("too little contrast: %q", low)
	}
}

// testAddress finds a unit by its number, and again by the address of the page.
func testAddress(t *testing.T, v *visit, _ *results.Artifacts) {
	v.do(chromedp.SetValue("#search", "3", chromedp.ByQuery), chromedp.Evaluate(`document.querySelector("#search").dispatchEvent(new Event("change"))`, nil))
	heads := func() string {
		return eval[string](v, `[...document.querySelectorAll("#pair h4")].map((h) => h.textContent).join()`)
	}
	found, hash := heads(), eval[string](v, `location.hash`)
	if !strings.HasPrefix(found, "seed 1, unit 3,") || !strings.HasPrefix(hash, "#explore=0,0,1,one,3,") {
		t.Errorf("found %q at %q", found, hash)
	}
	v.do(chromedp.Evaluate(`document.querySelector("#pair").replaceChildren(); location.hash = ""`, nil), chromedp.Evaluate(fmt.Sprintf("location.hash = %q", hash), nil), chromedp.Poll(`document.querySelectorAll("#pair h4").length === 2`, nil))
	if again := heads(); again != found {
		t.Errorf("by its address %q, want %q", again, found)
	}
}

// testWithoutScript reads the page where programs do not run.
func testWithoutScript(t *testing.T, v *visit, _ *results.Artifacts) {
	v.do(emulation.SetScriptExecutionDisabled(true), chromedp.Navigate("file://"+filepath.Join(v.dir, "report.html")))
	var text string
	v.do(chromedp.Text("body", &text, chromedp.ByQuery))
	for _, want := range []string{"Without JavaScript", "Before and after matching", "This needs JavaScript"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, lack := range []string{"Copy as citation", "Zoom with", "No pair is chosen"} {
		if strings.Contains(text, lack) {
			t.Errorf("the page has %q", lack)
		}
	}
}

func testSorting(t *testing.T, v *visit, _ *results.Artifacts) {
	column := func() []float64 {
		return eval[[]float64](v, `[...document.querySelectorAll("#matching tbody tr")].map((row) => parseFloat(row.cells[5].textContent))`)
	}
	v.do(chromedp.Click("#matching thead th:nth-child(6) button", chromedp.ByQuery))
	down := column()
	v.do(chromedp.Click("#matching thead th:nth-child(6) button", chromedp.ByQuery))
	up := column()
	if !slices.IsSorted(up) || slices.IsSorted(down) || eval[string](v, `document.querySelector("#matching thead th:nth-child(6)").getAttribute("aria-sort")`) != "ascending" {
		t.Errorf("falling %v, rising %v", down, up)
	}
}

func testDownloads(t *testing.T, v *visit, _ *results.Artifacts) {
	tables := eval[map[string]string](v, `JSON.parse(document.getElementById("data").textContent).tables`)
	for i, name := range eval[[]string](v, `[...document.querySelectorAll("figure")].map((f) => f.dataset.name)`) {
		figure := fmt.Sprintf("figure[data-name=%q] ", name)
		want, err := os.ReadFile(filepath.Join(v.dir, "figures", name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		picture := strings.HasPrefix(name, "correlation_") || strings.HasPrefix(name, "pairs_")
		if rows, err := csv.NewReader(strings.NewReader(tables[name])).ReadAll(); !picture && (err != nil || len(rows) < 2) {
			t.Errorf("%s: %d rows of data, %v", name, len(rows), err)
		}
		if src := eval[string](v, fmt.Sprintf("document.querySelector(`%simg`).src", figure)); src != "data:image/svg+xml;base64,"+base64.StdEncoding.EncodeToString(want) {
			t.Errorf("%s: not the figure in the folder", name)
		}
		if i > 2 {
			continue // Chromium lets a page download only so many files
		}
		if v.downloaded(figure+".svg", name+".svg") != string(want) || v.downloaded(figure+".csv", name+".csv") != tables[name] {
			t.Errorf("%s: something else is downloaded", name)
		}
	}
}

func testColours(t *testing.T, v *visit, _ *results.Artifacts) {
	paper := func() string { return eval[string](v, `getComputedStyle(document.body).backgroundColor`) }
	seen := []string{paper()}
	for range 3 {
		v.do(chromedp.Click("#theme", chromedp.ByQuery))
		seen = append(seen, paper())
	}
	v.do(chromedp.Evaluate(`document.documentElement.dataset.theme = "dark"`, nil))
	if inverted := eval[[]string](v, `[...document.querySelectorAll("figure img")].filter((i) => (getComputedStyle(i).filter !== "none") === /^(pairs|layers)_/.test(i.closest("figure").dataset.name)).map((i) => i.closest("figure").dataset.name)`); len(inverted) > 0 {
		t.Errorf("in the dark photographs or numbers on shades are inverted, or charts are not: %q", inverted)
	}
	v.do(chromedp.Evaluate(`document.documentElement.dataset.theme = ""`, nil))
	if seen[1] != "rgb(23, 24, 26)" || seen[2] != "rgb(253, 253, 251)" || seen[3] != seen[0] {
		t.Errorf("papers %q", seen)
	}
	v.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
	if got := paper(); got != "rgb(23, 24, 26)" {
		t.Errorf("on a dark system the paper is %s", got)
	}
}

func testPhone(t *testing.T, v *visit, a *results.Artifacts) {
	v.phone()
	if n := eval[int](v, `document.querySelectorAll("figure[data-name=nulls] .panels > div").length`); n != len(a.Results.Layers) {
		t.Errorf("%d panels stand below each other, want %d", n, len(a.Results.Layers))
	}
	if cut := eval[[]string](v, `[...document.querySelectorAll(".picture-box, .scroll")].filter((e) => e.scrollWidth > e.clientWidth + 4 && !e.classList.contains("more")).map((e) => e.outerHTML.slice(0, 60))`); len(cut) > 0 {
		t.Errorf("goes on to the right and does not say so: %q", cut)
	}
	// Two fingers zoom, and one taps.
	v.do(emulation.SetTouchEmulationEnabled(true), chromedp.Evaluate(`document.querySelector("#whole").click()`, nil))
	l := a.Results.Layers[1]
	x, y := v.center(l.Units[1]/2, l.Units[1]/2, l.Units[1])
	cornerX, cornerY := v.center(0, 0, l.Units[1])
	touch := func(kind input.TouchType, points ...*input.TouchPoint) {
		v.do(input.DispatchTouchEvent(kind, points))
	}
	tapped := func() string {
		touch(input.TouchStart, &input.TouchPoint{X: cornerX, Y: cornerY})
		touch(input.TouchEnd)
		return eval[string](v, `document.querySelector("#pair h4").textContent`)
	}
	before := tapped()
	finger := func(d float64) []*input.TouchPoint {
		return []*input.TouchPoint{{X: x - d, Y: y, ID: 1}, {X: x + d, Y: y, ID: 2}}
	}
	touch(input.TouchStart, finger(20)...)
	touch(input.TouchMove, finger(40)...)
	touch(input.TouchMove, finger(80)...)
	touch(input.TouchEnd)
	if after := tapped(); after == before {
		t.Errorf("after two fingers spread the corner is still %q", after)
	}
}

// testPaper prints the page, on which nothing may be wider than the paper or wait for a click.
func testPaper(t *testing.T, v *visit, _ *results.Artifacts) {
	const width = 700 // of letter paper and A4 less their margins, about
	v.do(emulation.SetDeviceMetricsOverride(width, 900, 1, false), emulation.SetEmulatedMedia().WithMedia("print"))
	if wide := eval[[]string](v, `[...document.querySelectorAll("table, figure, p")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 120))`); len(wide) > 0 {
		t.Errorf("wider than the paper: %q", wide)
	}
	if n := eval[int](v, `[...document.querySelectorAll("button, select, canvas, nav, .tall")].filter((e) => e.checkVisibility() && (!e.closest("th") && !e.matches(".tall") || getComputedStyle(e).maxHeight !== "none")).length`); n > 0 {
		t.Errorf("%d controls are printed, or tables that scroll", n)
	}
	v.do(emulation.SetEmulatedMedia().WithMedia(""))
	var pdf []byte
	v.do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = printed.PrintToPDF().Do(ctx)
		return err
	}))
	if len(pdf) < 10000 {
		t.Errorf("printed in %d bytes", len(pdf))
	}
}
