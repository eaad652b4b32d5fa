package endpoint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"api-destination-credentials/local/cloudformation"
	"api-destination-credentials/local/sam"
	"api-destination-credentials/local/wire"
)

// reference is what an endpoint supports, read off the running code.
type reference struct {
	served []wire.Service // by name
	types  map[string]cloudformation.Provider
}

// Reference is docs/local-reference.md.
func (e *Endpoint) Reference() string {
	var page strings.Builder
	page.WriteString(`# What the local AWS endpoint supports

Written from the code by ` + "`go test ./local/endpoint -run Reference -update`" + ` and compared with it by every test run.
What is not listed is refused with an error that names it.

## Operations

| Service | Operations |
|---|---|
`)
	r := e.services.reference
	for _, service := range r.served {
		fmt.Fprintf(&page, "| %s | %s |\n", service.Name, strings.Join(service.Operations(), ", "))
	}
	page.WriteString(`| s3 | buckets and objects as the SAM CLI and ` + "`aws s3`" + ` use them, multipart uploads included |

## Resource types

**Bold** properties are required; *italic* ones replace the resource when they change. What stands inside a property
is what the service's own operation takes. ` + "`Custom::…` and `AWS::CloudFormation::CustomResource`" + ` take anything.

| Type | Properties |
|---|---|
`)
	for _, name := range slices.Sorted(maps.Keys(r.types)) {
		fmt.Fprintf(&page, "| %s | %s |\n", name, strings.Join(propertiesOf(r.types[name]), ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(sam.Properties())) {
		fmt.Fprintf(&page, "| %s | %s |\n", name, strings.Join(sam.Properties()[name], ", "))
	}
	page.WriteString("\n## Known gaps\n\n| Where | What differs from AWS |\n|---|---|\n")
	for _, gap := range gaps {
		fmt.Fprintf(&page, "| %s | %s |\n", gap.where, gap.what)
	}
	return page.String()
}

func propertiesOf(t cloudformation.Provider) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(t.Properties)) {
		shown := name
		if slices.Contains(t.Replace, name) || t.Update == nil {
			shown = "*" + shown + "*"
		}
		if t.Properties[name] {
			shown = "**" + shown + "**"
		}
		names = append(names, shown)
	}
	return names
}
