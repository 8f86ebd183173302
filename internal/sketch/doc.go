// Package sketch tells whether two pictures show one thing by what they look
// like in small: a copy in grey, mirrored, framed, compressed, resized, or cut
// out of the other.
//
// A picture is brought to Side × Side pixels of brightness. Its look is where
// brightness rises and falls on a coarse grid: looks of the same whole picture
// are alike, also after a frame was put around it, and those of different
// pictures seldom are. Whether two pictures that may show one thing do is told
// by laying one over the other: windows of many shapes and places are tried on
// a coarse grid, and from the best of them the edges move to where a fine grid
// is most alike. Copies reach .94 there, different photographs .65.
//
// A sketch that is kept has Version beside it: another version is made anew.
package sketch
