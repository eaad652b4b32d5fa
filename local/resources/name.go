package resources

import (
	"crypto/sha256"
	"strings"

	"github.com/google/uuid"

	"api-destination-credentials/local/cloudformation"
)

// given returns the name that the template states in a property, and otherwise
// the generated one.
func given(r cloudformation.Request, property, generated string) (string, error) {
	name, err := member[string](r.Properties, property)
	if err != nil || name != "" {
		return name, err
	}
	return generated, nil
}

// stackName is a generated name STACK-LOGICALID-SUFFIX; the first two are cut
// where it would be longer than limit.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
func stackName(r cloudformation.Request, limit int) string {
	stack, logical, suffix := r.StackName, r.LogicalID, suffixOf(r)
	room := limit - len(suffix) - 2
	if over := len(stack) + len(logical) - room; over > 0 {
		kept := max(len(stack)-over, room/2)
		stack = stack[:min(len(stack), kept)]
		logical = logical[:min(len(logical), room-len(stack))]
	}
	return stack + "-" + logical + "-" + suffix
}

// ownName is a generated name LOGICALID-SUFFIX, the form of the types whose
// names do not start with the stack's.
func ownName(r cloudformation.Request) string { return r.LogicalID + "-" + suffixOf(r) }

// suffixOf is the same whenever the same request is tried again.
func suffixOf(r cloudformation.Request) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	sum := sha256.Sum256([]byte(r.StackID + "\n" + r.LogicalID + "\n" + r.Token))
	var suffix strings.Builder
	for _, b := range sum[:12] {
		suffix.WriteByte(letters[int(b)%len(letters)])
	}
	return suffix.String()
}

// clientToken is the idempotency token that a request hands on.
func clientToken(r cloudformation.Request) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(r.StackID+"/"+r.LogicalID+"/"+r.Token)).String()
}
