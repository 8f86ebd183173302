// Package atlas lays a collection out on a plane, so that what is near in the
// space of embeddings is near on the map.
//
// Layout finds each picture's nearest neighbours, makes weights of their
// distances as UMAP does (McInnes, Healy and Melville 2018), begins with the
// first two principal components, and then draws neighbours together and
// pictures drawn at random apart, with the kernel 1/(1+d²) of t-SNE and LargeVis
// (Tang et al. 2016). The same embeddings and seed give the same map on the same
// machine, however many cores it has. Trustworthiness says how far a map may be
// believed.
//
// # The file
//
// A map is kept as one file, numbers with the low byte first: the eight bytes
// "palatmap"; the version, 1 (4 bytes); the length of what follows as JSON (4
// bytes); the JSON (Made); the ids of the n pictures in ascending order (16 bytes
// each); their places from left to right (2 bytes each), 0 to 65534; those from
// top to bottom (2 bytes each); the CRC-32 (IEEE) of all before (4 bytes).
package atlas
