// Package doctor looks at what palate needs to work on a machine: ONNX Runtime,
// the model and the files of models, and, where there is a collection, a sample
// of its pictures, the rights of its files, the disk, the clock and the index. It
// mends nothing and makes no collection. What it finds are values: a Diagnosis
// for programs, with its problems as sentences for people.
package doctor
