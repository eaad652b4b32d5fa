package cloudformation

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxPath bounds the path to a value, in bytes, and with it how deeply a
// template nests: all paths from the top to a value are held at once. AWS
// documents no limit.
const maxPath = 4096

// parse reads a template's text, YAML or JSON, as a tree of map[string]any,
// []any, string, bool, int and float64. Short forms (!Ref) are written out.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
func parse(body string) (map[string]any, error) {
	var tree any
	var err error
	if strings.HasPrefix(strings.TrimSpace(body), "{") {
		tree, err = parseJSON(body)
	} else {
		tree, err = parseYAML(body)
	}
	if err != nil {
		return nil, err
	}
	document, ok := tree.(map[string]any)
	if !ok {
		return nil, invalid("Template format error: unsupported structure.")
	}
	return document, nil
}

func parseJSON(body string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	tree, err := readJSON(decoder, "")
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = invalid("Template format error: JSON not well-formed: text follows the template")
		}
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, invalid("Template format error: JSON not well-formed. (%s, at byte %d)", syntax, syntax.Offset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, invalid("Template format error: JSON not well-formed: the template ends early")
	}
	return tree, err
}

func readJSON(decoder *json.Decoder, path string) (any, error) {
	if len(path) > maxPath {
		return nil, tooDeep(path)
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			return readJSONList(decoder, path)
		}
		return readJSONObject(decoder, path)
	case json.Number:
		return number(token.String()), nil
	case nil:
		return nil, null(path)
	}
	return token, nil
}

func readJSONList(decoder *json.Decoder, path string) (any, error) {
	list := []any{}
	for decoder.More() {
		item, err := readJSON(decoder, path+"/"+strconv.Itoa(len(list)))
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	_, err := decoder.Token()
	return list, err
}

func readJSONObject(decoder *json.Decoder, path string) (any, error) {
	object := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string)
		if _, twice := object[key]; twice {
			return nil, duplicate(path, key)
		}
		if object[key], err = readJSON(decoder, path+"/"+key); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token()
	return object, err
}

func parseYAML(body string) (any, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(body), &document); err != nil {
		return nil, invalid("Template format error: YAML not well-formed. (%s)", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) == 0 {
		return nil, invalid("Template format error: unsupported structure.")
	}
	return readYAML(document.Content[0], "")
}

func readYAML(node *yaml.Node, path string) (any, error) {
	if len(path) > maxPath {
		return nil, tooDeep(path)
	}
	if node.Kind == yaml.AliasNode {
		return nil, alias()
	}
	if strings.HasPrefix(node.Tag, "!") && !strings.HasPrefix(node.Tag, "!!") {
		return readShortForm(node, path)
	}
	switch node.Kind {
	case yaml.MappingNode:
		return readYAMLMapping(node, path)
	case yaml.SequenceNode:
		list := make([]any, 0, len(node.Content))
		for i, item := range node.Content {
			value, err := readYAML(item, path+"/"+strconv.Itoa(i))
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	}
	switch node.ShortTag() {
	case "!!null":
		return nil, null(path)
	case "!!bool":
		return strings.EqualFold(node.Value, "true"), nil
	case "!!int", "!!float":
		return number(node.Value), nil
	}
	// Dates (2012-10-17) stay the text that they are.
	return node.Value, nil
}

func readYAMLMapping(node *yaml.Node, path string) (any, error) {
	object := map[string]any{}
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i].Value
		if node.Content[i].Kind == yaml.AliasNode {
			return nil, alias()
		}
		if node.Content[i].Kind != yaml.ScalarNode {
			return nil, invalid("Template format error: [%s] a key is not text (line %d)", path, node.Content[i].Line)
		}
		if node.Content[i].ShortTag() == "!!merge" {
			return nil, invalid("Template format error: YAML merge keys are not allowed in CloudFormation templates")
		}
		if _, twice := object[key]; twice {
			return nil, duplicate(path, key)
		}
		value, err := readYAML(node.Content[i+1], path+"/"+key)
		if err != nil {
			return nil, err
		}
		object[key] = value
	}
	return object, nil
}

// readShortForm writes !Ref, !GetAtt a.b and their kind out in full.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
func readShortForm(node *yaml.Node, path string) (any, error) {
	name := strings.TrimPrefix(node.Tag, "!")
	full := "Fn::" + name
	if name == "Ref" || name == "Condition" {
		full = name
	}
	if full != name && functions[full] == nil && !slices.Contains(conditionFunctions, full) {
		return nil, invalid("Template format error: the local endpoint does not know the tag %s (line %d) at [%s]; it knows %s", node.Tag, node.Line, path, knownFunctions())
	}
	plain := *node
	plain.Tag = ""
	if node.Kind == yaml.ScalarNode {
		plain.Tag = "!!str"
	}
	argument, err := readYAML(&plain, path+"/"+full)
	if err != nil {
		return nil, err
	}
	if text, ok := argument.(string); ok && name == "GetAtt" {
		resource, attribute, _ := strings.Cut(text, ".")
		argument = []any{resource, attribute}
	}
	return map[string]any{full: argument}, nil
}

// number keeps text that is no plain decimal (an account id with a leading
// zero, a version 1.10, NaN) as it was written.
func number(text string) any {
	if whole, err := strconv.Atoi(text); err == nil && strconv.Itoa(whole) == text {
		return whole
	}
	if real, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(real) && !math.IsInf(real, 0) && strconv.FormatFloat(real, 'f', -1, 64) == text {
		return real
	}
	return text
}

func alias() error {
	return invalid("Template format error: YAML aliases are not allowed in CloudFormation templates")
}

func tooDeep(path string) error {
	return invalid("Template format error: the template nests too deeply at [%s…]", strings.ToValidUTF8(path[:64], ""))
}

func null(path string) error {
	return invalid("Template format error: [%s] 'null' values are not allowed in templates", path)
}

func duplicate(path, key string) error {
	return invalid("Template format error: duplicate key [%s/%s]: keep one of them", path, key)
}
