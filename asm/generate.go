package asm

//go:generate go -C _avo run .
//go:generate go -C _avo run ./neon
//go:generate go -C _avo run ./noasm
