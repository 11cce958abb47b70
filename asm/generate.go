package asm

//go:generate go -C _avo run . -kernel gemm -pkg asm -out ../gemm_amd64.s -stubs ../gemm_amd64.go
//go:generate go -C _avo run . -kernel gram -pkg asm -out ../gram_amd64.s -stubs ../gram_amd64.go
//go:generate go -C _avo run . -kernel panel -pkg asm -out ../panel_amd64.s -stubs ../panel_amd64.go
//go:generate go -C _avo run . -kernel transpose -pkg asm -out ../transpose_amd64.s -stubs ../transpose_amd64.go
//go:generate go -C _avo run . -kernel peak -pkg asm -out ../peak_amd64.s -stubs ../peak_amd64.go
//go:generate go -C _avo run . -kernel strip -pkg asm -out ../strip_amd64.s -stubs ../strip_amd64.go
//go:generate go -C _avo run . -kernel affine -pkg asm -out ../affine_amd64.s -stubs ../affine_amd64.go
//go:generate go -C _avo run . -kernel winograd -pkg asm -out ../winograd_amd64.s -stubs ../winograd_amd64.go
//go:generate go -C _avo run . -kernel moments -pkg asm -out ../moments_amd64.s -stubs ../moments_amd64.go
//go:generate go -C _avo run . -kernel dense -pkg asm -out ../dense_amd64.s -stubs ../dense_amd64.go
//go:generate go -C _avo run . -kernel assign -pkg asm -out ../assign_amd64.s -stubs ../assign_amd64.go
//go:generate go -C _avo run . -kernel depthwise -pkg asm -out ../depthwise_amd64.s -stubs ../depthwise_amd64.go
//go:generate go -C _avo run . -kernel narrow -pkg asm -out ../narrow_amd64.s -stubs ../narrow_amd64.go
//go:generate go -C _avo run . -kernel elementary -pkg asm -out ../elementary_amd64.s -stubs ../elementary_amd64.go
//go:generate go -C _avo run . -kernel addrows -pkg asm -out ../addrows_amd64.s -stubs ../addrows_amd64.go
