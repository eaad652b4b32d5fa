package cloudformation

import (
	"strconv"
	"strings"
)

func (s *scope) join(argument any) (any, error) {
	parts, ok := argument.([]any)
	if !ok || len(parts) != 2 {
		return nil, invalid("Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.")
	}
	delimiter, isText := parts[0].(string)
	list, open, err := s.list(parts[1], "Fn::Join")
	if err != nil || open {
		return unknown{}, err
	}
	if !isText {
		return nil, invalid("Template error: the delimiter of Fn::Join must be a string")
	}
	texts := make([]string, len(list))
	for i, item := range list {
		if texts[i], ok = scalar(item); !ok {
			return nil, invalid("Template error: every item that Fn::Join joins must be a string")
		}
	}
	return strings.Join(texts, delimiter), nil
}

// list resolves an argument that must be a list; open means that it or one of
// its items is unknown yet.
func (s *scope) list(argument any, function string) (list []any, open bool, err error) {
	resolved, err := s.resolve(argument)
	if err != nil {
		return nil, false, err
	}
	if holdsUnknown(resolved) {
		return nil, true, nil
	}
	list, ok := resolved.([]any)
	if !ok {
		return nil, false, invalid("Template error: %s requires a list", function)
	}
	return list, false, nil
}

func (s *scope) choose(argument any) (any, error) {
	parts, ok := argument.([]any)
	if !ok || len(parts) != 2 {
		return nil, invalid("Template error: Fn::Select requires a list argument with two elements: an integer index and a list")
	}
	at, err := s.resolve(parts[0])
	if err != nil {
		return nil, err
	}
	text, _ := scalar(at)
	index, err := strconv.Atoi(text)
	if err != nil {
		return nil, invalid("Template error: Fn::Select requires a list argument with two elements: an integer index and a list")
	}
	list, open, err := s.list(parts[1], "Fn::Select")
	if err != nil || open {
		return unknown{}, err
	}
	if index < 0 || index >= len(list) {
		return nil, invalid("Template error: Fn::Select cannot select nonexistent value at index %d", index)
	}
	return list[index], nil
}

func (s *scope) split(argument any) (any, error) {
	parts, ok := argument.([]any)
	if !ok || len(parts) != 2 {
		return nil, invalid("Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.")
	}
	source, err := s.resolve(parts[1])
	if err != nil {
		return nil, err
	}
	if source == (unknown{}) {
		return unknown{}, nil
	}
	delimiter, isDelimiter := parts[0].(string)
	text, isText := source.(string)
	if !isDelimiter || delimiter == "" || !isText {
		return nil, invalid("Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.")
	}
	list := []any{}
	for piece := range strings.SplitSeq(text, delimiter) {
		list = append(list, piece)
	}
	return list, nil
}
