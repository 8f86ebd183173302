// Package icc brings the pixels of a file with an ICC colour profile (ISO
// 15076-1, and version 2 before it) to sRGB: grey, RGB and CMYK, by matrix and
// curves or by tables, with perceptual intent, as Little CMS does it by
// default.
//
// A transform of a matrix profile differs from Little CMS's by one level at
// most, one of tables by one on average. What is sRGB already is left alone.
package icc
