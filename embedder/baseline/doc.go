// Package baseline writes palate's built-in model, which needs no download: a
// descriptor of colour and texture as an ONNX graph whose every weight comes
// from a formula. Nothing in it is learned. It is the default without a
// network, and the floor that a learned model must beat.
//
// The whole picture is stretched to a square: what stands at the border of a
// painting belongs to it, and a crop would lose it. In the graph sRGB becomes
// CIE L*a*b* (IEC 61966-2-1; CIE 15), and two families of numbers are drawn
// from it.
//
// Colour: a soft histogram, joint over L*, a* and b*, of the whole picture
// and marginal histograms of its quarters (the spatial pyramid of Lazebnik,
// Schmid and Ponce, "Beyond Bags of Features", CVPR 2006). Bins overlap as
// triangles, so that a small change of colour is a small change of the
// histogram; square roots are taken, which makes the inner product the
// Bhattacharyya coefficient (Arandjelović and Zisserman, "Three things
// everyone should know to improve object retrieval", CVPR 2012). The
// histogram's entropy says how many colours there are.
//
// Texture: amplitudes of quadrature pairs of Gabor filters (Manjunath and Ma,
// "Texture features for browsing and retrieval of image data", PAMI 18, 1996)
// at several octaves and orientations, of lightness and of the two colour
// opponents together, taken over the picture and over its quarters (as in
// Oliva and Torralba, "Modeling the shape of the scene", IJCV 42, 2001).
// Their logarithms are split into parts that mean something by themselves:
// how strong each octave is; how its strength differs between orientations
// and, for lightness, between quarters; and numbers that stay when the picture
// is turned: the harmonics over the orientation, how sparse the amplitudes
// are, and how unevenly they are spread. A histogram of what the filters say
// at each pixel, joint over the strength of the response and how far one
// orientation exceeds the others, tells spots, strokes, edges and empty
// ground apart (in the spirit of the textons of Leung and Malik, IJCV 43,
// 2001, with fixed bins in place of learned ones); being many numbers that
// are each about one thing, it also lets a linear probe draw a line around a
// manner of painting.
//
// Each part has its centre taken away and its weight from a fixed table, so
// that neither colour nor texture rules the inner product.
package baseline
