package conv

import "testing"

// FuzzConvolution compares convolutions of any geometry, by whichever algorithm it takes,
// with the definition in float64, in all three directions.
func FuzzConvolution(f *testing.F) {
	f.Add(uint8(1), uint8(7), uint8(8), uint8(2), uint8(4), uint8(2), uint8(2), uint8(0), uint8(1), uint8(0))
	f.Add(uint8(0), uint8(22), uint8(20), uint8(2), uint8(7), uint8(10), uint8(10), uint8(3), uint8(2), uint8(0))
	f.Add(uint8(1), uint8(12), uint8(13), uint8(36), uint8(9), uint8(4), uint8(4), uint8(0), uint8(2), uint8(1))
	f.Add(uint8(1), uint8(13), uint8(20), uint8(50), uint8(0), uint8(6), uint8(2), uint8(1), uint8(3), uint8(3))
	f.Fuzz(func(t *testing.T, n, h, w, c, out, kh, kw, stride, pad, groups uint8) {
		g := Geometry{N: 1 + int(n)%4, H: 1 + int(h)%24, W: 1 + int(w)%24, KH: 1 + int(kh)%11, KW: 1 + int(kw)%11, Stride: 1 + int(stride)%4, Groups: 1 + int(groups)%3}
		g.C, g.Out = g.Groups*(1+int(c)%40), g.Groups*(1+int(out)%40)
		if int(groups)%4 == 3 { // depthwise
			g.Groups = 2 + int(c)%90
			g.C, g.Out = g.Groups, g.Groups
		}
		g.Pad = int(pad) % 7
		if g.H+2*g.Pad < g.KH || g.W+2*g.Pad < g.KW {
			t.Skip("the filter is larger than the image")
		}
		if g.positions()*g.Out*g.patch() > 1<<22 {
			t.Skip("the definition takes long")
		}
		checkDefinition(t, g, true)
	})
}
