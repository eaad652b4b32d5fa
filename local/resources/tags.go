package resources

import (
	"context"
	"maps"
	"slices"

	"api-destination-credentials/local/cloudformation"
)

// tagsOf reads tags, which templates state as a list of Key and Value.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html
func tagsOf(properties object) (map[string]string, error) {
	list, err := member[[]struct{ Key, Value string }](properties, "Tags")
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, tag := range list {
		tags[tag.Key] = tag.Value
	}
	return tags, nil
}

// The forms in which services take tags.
func keysAndValues(tags map[string]string) any       { return tagList(tags, "Key", "Value") }
func tagKeysAndTagValues(tags map[string]string) any { return tagList(tags, "TagKey", "TagValue") }
func byKey(tags map[string]string) any               { return tags }

func tagList(tags map[string]string, key, value string) []object {
	var list []object
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, object{key: name, value: tags[name]})
	}
	return list
}

// retag makes the tags of what target names those of the template, by the
// service's two operations.
func retag[UntagIn, UntagOut, TagIn, TagOut any](ctx context.Context, r cloudformation.Request, target object, form func(map[string]string) any,
	untag func(context.Context, *UntagIn) (*UntagOut, error), tag func(context.Context, *TagIn) (*TagOut, error)) error {
	set, err := tagsOf(r.Properties)
	if err != nil {
		return err
	}
	old, err := tagsOf(r.OldProperties)
	if err != nil {
		return err
	}
	var removed []string
	for _, key := range slices.Sorted(maps.Keys(old)) {
		value, stays := set[key]
		switch {
		case !stays:
			removed = append(removed, key)
		case value == old[key]:
			delete(set, key)
		}
	}
	if len(removed) > 0 {
		if err := do(ctx, untag, with(target, object{"TagKeys": removed})); err != nil {
			return err
		}
	}
	if len(set) == 0 {
		return nil
	}
	return do(ctx, tag, with(target, object{"Tags": form(set)}))
}
