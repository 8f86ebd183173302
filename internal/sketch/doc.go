// Package sketch tells whether two pictures show one thing by what they look
// like in small: a copy in grey, mirrored, framed, compressed, resized, in
// another light, or cut out of the other.
//
// A picture is brought to Side × Side pixels of brightness, and ColourSide ×
// ColourSide cells of colour. Its look is where brightness rises and falls on a
// coarse grid: looks of the same whole picture are alike, also after a frame was
// put around it, and those of different pictures seldom are. Whether two pictures
// that may show one thing do is told by laying one over the other: windows of many
// shapes and places are tried on a coarse grid, and from the best of them the edges
// move to where a fine grid is most alike. Copies reach .94 there, different
// photographs .65.
//
// Where one lies on the other their colours are compared, unless one is grey or in
// one tint, which is no news of what the other shows. Two scans of a painting differ
// by the light, the film and what was done to them since: a colour is moved,
// strengthened or weakened as all are, or as its brightness has it. So the colours of
// the two must rise and fall together over the cells, as they are or without what
// follows brightness, and what is left must be small. Prints of one layout in other
// inks fail that. A grey picture of the layout is like all of them.
//
// A sketch that is kept has Version beside it: another version is made anew.
package sketch
