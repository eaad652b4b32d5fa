package endpoint_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"api-destination-credentials/local/endpoint"
)

// TestEveryGrantIsNeeded takes each action and each condition out of the
// templates' policies in turn, deploys the rest to an endpoint of its own and
// goes through everything that users, services and functions do there. Without
// an action something fails; without a condition something is let in.
func TestEveryGrantIsNeeded(t *testing.T) {
	t.Parallel()
	if trouble := tryWithout(t, ""); trouble != "" {
		t.Fatalf("with every grant in place: %s", trouble)
	}
	seen := map[string]bool{}
	for _, template := range []string{"prerequisite.yaml", "template.yaml"} {
		for _, grant := range grantsOf(parsed(t, template)) {
			name := template + " " + grant.name
			if seen[name] {
				t.Fatalf("two grants are called %s", name)
			}
			seen[name] = true
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				trouble := tryWithout(t, name)
				if trouble == "" {
					t.Error("nothing fails without it, and nothing more is let in: take it out of the template, or show what it is for")
				}
				t.Logf("%s: %s", time.Since(began).Round(10*time.Millisecond), trouble)
			})
		}
	}
	t.Logf("%d grants", len(seen))
}

// tryWithout returns what goes wrong without one grant.
func tryWithout(t *testing.T, removed string) string {
	t.Helper()
	a := openAccount(t, endpoint.Config{})
	defer a.local.Close()
	found := removed == ""
	a.deployer.Edit = func(template string, document *yaml.Node) {
		for _, grant := range grantsOf(document) {
			if template+" "+grant.name == removed {
				grant.remove()
				found = true
				return
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err := a.liveThrough(ctx)
	if !found {
		t.Fatalf("the template has no grant %s", removed)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func parsed(t *testing.T, template string) *yaml.Node {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, template))
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return &document
}

// grant is one action or one condition of a policy.
type grant struct {
	name   string
	remove func()
}

// grantsOf finds the policies of a template: mappings with a Statement, and
// the permissions of functions.
func grantsOf(document *yaml.Node) []grant {
	var found []grant
	resources := child(document.Content[0], "Resources")
	for i := 0; i < len(resources.Content); i += 2 {
		id, resource := resources.Content[i].Value, resources.Content[i+1]
		if child(resource, "Type").Value == "AWS::Lambda::Permission" {
			found = append(found, ofPermission(id, child(resource, "Properties"))...)
			continue
		}
		number := 0
		walk(resource, func(statements *yaml.Node) {
			for _, statement := range statements.Content {
				label := fmt.Sprintf("%s/%d", id, number)
				if sid := child(statement, "Sid"); sid != nil {
					label = id + "/" + sid.Value
				}
				number++
				found = append(found, ofStatement(label, statement)...)
			}
		})
	}
	return found
}

// walk visits the statements of every policy below a node.
func walk(node *yaml.Node, visit func(statements *yaml.Node)) {
	if node.Kind == yaml.MappingNode {
		if statements := child(node, "Statement"); statements != nil {
			visit(statements)
			return
		}
	}
	for _, part := range node.Content {
		walk(part, visit)
	}
}

func ofStatement(label string, statement *yaml.Node) []grant {
	var found []grant
	actions := child(statement, "Action")
	if actions.Kind == yaml.ScalarNode {
		found = append(found, grant{label + " " + actions.Value, func() { nothing(actions) }})
	}
	for _, action := range actions.Content {
		found = append(found, grant{label + " " + action.Value, func() { nothing(action) }})
	}
	conditions := child(statement, "Condition")
	if conditions == nil {
		return found
	}
	for i := 0; i < len(conditions.Content); i += 2 {
		operator := conditions.Content[i+1]
		for j := 0; j < len(operator.Content); j += 2 {
			key := operator.Content[j].Value
			found = append(found, grant{label + " if " + key, func() { drop(operator, key) }})
		}
	}
	return found
}

func ofPermission(label string, properties *yaml.Node) []grant {
	action := child(properties, "Action")
	found := []grant{{label + " " + action.Value, func() { action.Value = "lambda:GetFunction" }}}
	for _, condition := range []string{"SourceArn", "SourceAccount"} {
		if child(properties, condition) != nil {
			found = append(found, grant{label + " if " + condition, func() { drop(properties, condition) }})
		}
	}
	return found
}

// nothing turns an action into one that nobody asks for, so that what is left
// is still a policy.
func nothing(action *yaml.Node) {
	service, _, _ := strings.Cut(action.Value, ":")
	action.Value = service + ":Nothing"
}

func child(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func drop(mapping *yaml.Node, key string) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			mapping.Content = append(mapping.Content[:i:i], mapping.Content[i+2:]...)
			return
		}
	}
}

// soon tries until it succeeds, for as long as something that works takes at
// most on a busy machine.
func soon(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
