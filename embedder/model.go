package embedder

// Model is an image model as it is handed to what computes it, such as package
// onnx: an ONNX graph and what there is to know of it.
type Model struct {
	// Graph is the ONNX file, with all its weights. If it is empty, File is
	// the path of the file, whose weights may be in others of its folder.
	Graph []byte
	File  string

	Description Description

	// Tables, if not nil, gives what the graph takes beside the picture for
	// an input of width × height pixels, such as position embeddings: the
	// graph's other inputs by name, which are the same for every picture of
	// a batch. It is called from any goroutine, seldom twice for one size.
	// The description's Identity then says which function it is.
	Tables func(width, height int) (map[string]Tensor, error)
}

// Tensor is a dense block of values, row by row: len(Data) is the product of
// Shape, which has at least one dimension.
type Tensor struct {
	Shape []int64
	Data  []float32
}
