package ort

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

// Further field numbers of onnx.proto.
const (
	graphNode        = 1
	nodeAttribute    = 5
	attributeTensor  = 5
	attributeGraph   = 6
	attributeTensors = 10
	attributeGraphs  = 11
	tensorExternal   = 13
	entryKey         = 1
	entryValue       = 2
)

// maxGraphDepth bounds graphs within graphs, as the bodies of If and Loop.
const maxGraphDepth = 32

// ExternalFiles names the files in which a model keeps weights, in order and
// each once, relative to the model's folder. A name that leads out of that
// folder is an error.
func ExternalFiles(model []byte) ([]string, error) {
	var files []string
	err := eachMessage(model, func(number int, message []byte) error {
		if number != modelGraph {
			return nil
		}
		return externalOfGraph(message, maxGraphDepth, &files)
	})
	if err != nil {
		return nil, fmt.Errorf("files of weights: %w", err)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

func externalOfGraph(graph []byte, depth int, files *[]string) error {
	if depth == 0 {
		return errors.New("the graphs are nested too deep")
	}
	return eachMessage(graph, func(number int, message []byte) error {
		switch number {
		case graphInitializer:
			return externalOfTensor(message, files)
		case graphNode:
			return eachMessage(message, func(number int, attribute []byte) error {
				if number != nodeAttribute {
					return nil
				}
				return eachMessage(attribute, func(number int, message []byte) error {
					switch number {
					case attributeTensor, attributeTensors:
						return externalOfTensor(message, files)
					case attributeGraph, attributeGraphs:
						return externalOfGraph(message, depth-1, files)
					}
					return nil
				})
			})
		}
		return nil
	})
}

func externalOfTensor(tensor []byte, files *[]string) error {
	return eachMessage(tensor, func(number int, entry []byte) error {
		if number != tensorExternal {
			return nil
		}
		key, err := readName(entry, entryKey)
		if err != nil || key != "location" {
			return err
		}
		name, err := readName(entry, entryValue)
		if err != nil {
			return err
		}
		if !filepath.IsLocal(name) {
			return fmt.Errorf("weights are said to be in %q, which is not in the model's folder", name)
		}
		*files = append(*files, name)
		return nil
	})
}

// eachMessage is eachField for the fields that hold bytes.
func eachMessage(message []byte, use func(number int, bytes []byte) error) error {
	return eachField(message, func(f protoField) error {
		if !f.isBytes {
			return nil
		}
		return use(f.number, f.bytes)
	})
}
