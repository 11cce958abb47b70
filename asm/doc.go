// Package asm holds the micro-kernels under convergent and nothing else: each
// is straight code over one tile or one strip, generated from asm/_avo, with a portable
// twin in Go that gives the same bits.
//
// It is exported because every folder at the top of the module is, but it is
// not an interface to build on: it is exempt from semantic versioning, checks
// nothing that its callers guarantee, and may change in any release. Use
// packages nn, corr, match and spectral.
//
// # Tiers
//
// A [Tier] is a set of instructions. [Active] is the best that the machine
// offers; the environment variable CONVERGENT_CPU=portable|avx2|avx512|neon, in capitals
// or not, can lower it, and where it names no tier [TierError] says so. Building with the
// tag purego leaves only the portable tier.
//
// # Same bits
//
// All tiers do one fused multiply-add per term, in the order of k, from zero,
// so that a result does not depend on the tier; tile shapes differ, but no
// element of a product depends on the shape of its tile.
//
// # Adding a kernel
//
//  1. Write the method of [Tier] with its definition as a loop in Go, which is the twin:
//     what the portable tier runs, and what does the last elements in every tier. Its
//     comment states the mathematics, the order of the sums and what callers guarantee.
//  2. Test it: every tier ([Supported]) against the sum written out, for every length round
//     the kernel's step, odd strides, NaN, infinities and zeros of both signs, on slices
//     that end and begin at a page which may not be touched.
//  3. Write its emitter in asm/_avo, beside the derivation, and list the file in emitters
//     if it is new. The tier that an emitter names is the one whose instructions the kernel
//     is held to. A call lasts less than a millisecond, since nothing can interrupt it.
//  4. Write its emitter in asm/_avo/neon, which takes name, signature and comment from the
//     stub of amd64. What Go's assembler has no name for is a word, which a test decodes.
//     A kernel of AVX-512's has none there.
//  5. Run go generate ./asm. It writes assembly and stubs of both architectures, and the
//     files of builds that do not have a kernel.
//  6. Call it from the method where the tier has kernels, directly, not by a variable: then
//     arrays of the caller's may stay on its stack.
//
// # Adding a tier
//
// A tier is a row in the table of parameters: its name, the vectors and the tiles of its
// kernels. Methods ask for those and never compare tiers. detect says which machines have
// it; a generator writes its kernels, under the names that are there if their shapes are,
// and TestGeneratedSource or its like holds them to the tier's instructions.
//
// # NEON
//
// Kernels of arm64 have the names, signatures and shapes of AVX2's, a vector there being
// two here. Multiply-adds are fused, one a term, and k rises, as everywhere, so that the
// bits are those of the twins. What is known of their speed is how many instructions they
// take, of which at best one in four lanes is a multiply-add's:
//
//	Gemm, 6 x 16      33 for  96 multiply-adds, .34 each, with A packed or not
//	Gram, 6 x 16      30 for  96, .31, with A packed
//	Product, 6 x 8    33 for  48, .69, of two lanes
//	Narrow, 12 x 8    39 for  96, .41
//	Depthwise, 7 x 8  24 for  56, .43, and .35 or .31 where the image is reused
//	Peak              26 for  96, .27
//
// They are tested under qemu, which says nothing of their speed on a machine.
package asm
